"""Periodic work on runs."""

from celery import shared_task
from django.utils.timezone import now

from billing.runtime.services.expire_holds import expire_holds as expire


@shared_task(name="billing.runtime.tasks.expire_holds")
def expire_holds() -> int:
    """Give back what abandoned runs hold."""
    return expire(at=now())
