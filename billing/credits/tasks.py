"""Periodic work on credits."""

from celery import shared_task
from django.utils.timezone import now

from billing.credits.services.expire_grants import expire_due_grants


@shared_task(name="billing.credits.tasks.expire_grants")
def expire_grants() -> int:
    """Expire what is due, all accounts."""
    return expire_due_grants(at=now())
