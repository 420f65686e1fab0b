"""Periodic work on notices and webhooks."""

from threading import Lock

from celery import shared_task
from django.utils.timezone import now

from billing.notifications.services.deliver_webhooks import deliver_webhooks as deliver
from billing.notifications.services.end_secret_overlaps import end_secret_overlaps as end_overlaps
from billing.notifications.services.forget_webhooks import forget_webhooks as forget
from billing.notifications.services.send_notices import send_notices as send
from billing.notifications.services.tell_of_agreement import tell_of_overdue_plans
from billing.notifications.services.tell_of_keys import tell_of_keys as tell
from billing.notifications.services.tell_of_subscriptions import tell_of_subscriptions as tell_of_changes
from billing.notifications.webhook_claims import Lane

# A worker has one thread at most that claims in a lane, so that neither lane can take all its threads.
_CLAIMING = {lane: Lock() for lane in Lane}


@shared_task(name="billing.notifications.tasks.send_notices")
def send_notices() -> int:
    """Send what is due."""
    return send(at=now())


@shared_task(name="billing.notifications.tasks.tell_of_overdue_plans")
def tell_of_overdue() -> int:
    """Tell of graces that have ended."""
    return tell_of_overdue_plans(at=now())


@shared_task(name="billing.notifications.tasks.tell_of_keys")
def tell_of_keys() -> int:
    """Tell of keys whose health has changed."""
    return tell(at=now())


@shared_task(name="billing.notifications.tasks.tell_of_subscriptions")
def tell_of_subscriptions() -> int:
    """Tell of plans that have changed."""
    return tell_of_changes(at=now())


@shared_task(name="billing.notifications.tasks.deliver_webhooks")
def deliver_webhooks() -> int:
    """Send webhooks that are due to endpoints that answer well."""
    return _deliver(Lane.REGULAR)


@shared_task(name="billing.notifications.tasks.deliver_slow_webhooks")
def deliver_slow_webhooks() -> int:
    """The same to those that are slow, or fail."""
    return _deliver(Lane.SLOW)


@shared_task(name="billing.notifications.tasks.end_secret_overlaps")
def end_secret_overlaps() -> int:
    """Erase secrets of webhooks that were replaced a while ago."""
    return end_overlaps(at=now())


@shared_task(name="billing.notifications.tasks.forget_webhooks")
def forget_webhooks() -> int:
    """Delete old deliveries."""
    return forget(at=now())


def _deliver(lane: Lane) -> int:
    claiming = _CLAIMING[lane]
    if not claiming.acquire(blocking=False):
        return 0
    return deliver(at=now(), lane=lane, done_claiming=claiming.release)
