"""What the worker does at which intervals. Which work is due the database knows: a run too many does nothing."""

from typing import Any


def _every(seconds: float, task: str, *, expires: int, queue: str = "") -> dict[str, Any]:
    """A task every so many seconds; one that waited for a worker for longer than `expires` is dropped."""
    return {"task": task, "schedule": seconds, "options": {"expires": expires} | ({"queue": queue} if queue else {})}


PERIODIC_WORK = {
    "flush-rollups": _every(1, "billing.usage.tasks.flush_rollups", expires=5),
    "expire-holds": _every(5, "billing.runtime.tasks.expire_holds", expires=30),
    "end-lost-sessions": _every(10, "billing.runtime.tasks.end_lost_sessions", expires=30),
    "tell-of-stopped-sessions": _every(10, "billing.runtime.tasks.tell_of_stopped_sessions", expires=30),
    "watch-usage": _every(10, "billing.usage.tasks.watch_usage", expires=30),
    "expire-grants": _every(60, "billing.credits.tasks.expire_grants", expires=120),
    "work-stripe-inbox": _every(10, "billing.stripe_sync.tasks.work_inbox", expires=30),
    "close-cycles": _every(60, "billing.invoices.tasks.close_cycles", expires=120),
    "refresh-payments": _every(60, "billing.invoices.tasks.refresh_payments", expires=120),
    "push-prices": _every(60, "billing.stripe_sync.tasks.push_prices", expires=120),
    "push-billing-details": _every(60, "billing.stripe_sync.tasks.push_details", expires=120),
    "compare-with-stripe": _every(3600, "billing.stripe_sync.tasks.compare_with_stripe", expires=1800),
    "forget-deliveries": _every(86400, "billing.stripe_sync.tasks.forget_deliveries", expires=3600),
    "report-meters": _every(60, "billing.stripe_sync.tasks.report_meters", expires=120),
    "send-payouts": _every(60, "billing.stripe_sync.tasks.send_payouts", expires=120),
    "check-keys": _every(10, "vault.tasks.check_keys", expires=30),
    "end-overlaps": _every(60, "vault.tasks.end_overlaps", expires=120),
    "tell-of-keys": _every(10, "billing.notifications.tasks.tell_of_keys", expires=30),
    "end-grace": _every(60, "billing.subscriptions.tasks.end_grace", expires=120),
    "tell-of-overdue-plans": _every(60, "billing.notifications.tasks.tell_of_overdue_plans", expires=120),
    "send-notices": _every(10, "billing.notifications.tasks.send_notices", expires=30),
    "deliver-webhooks": _every(1, "billing.notifications.tasks.deliver_webhooks", expires=5, queue="webhooks"),
    "deliver-slow-webhooks": _every(
        1, "billing.notifications.tasks.deliver_slow_webhooks", expires=5, queue="webhooks"
    ),
    "end-secret-overlaps": _every(60, "billing.notifications.tasks.end_secret_overlaps", expires=120),
    "forget-webhooks": _every(3600, "billing.notifications.tasks.forget_webhooks", expires=1800),
    "tell-of-subscriptions": _every(10, "billing.notifications.tasks.tell_of_subscriptions", expires=30),
}
