"""Periodic work on subscriptions."""

from celery import shared_task
from django.utils.timezone import now

from billing.subscriptions.services.end_grace import end_grace_periods


@shared_task(name="billing.subscriptions.tasks.end_grace")
def end_grace() -> int:
    """Downgrade accounts whose time of grace is over."""
    return end_grace_periods(at=now())
