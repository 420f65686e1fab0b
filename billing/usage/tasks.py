"""Periodic work on usage."""

from celery import shared_task
from django.utils.timezone import now

from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.watch_usage import watch_usage as watch


@shared_task(name="billing.usage.tasks.flush_rollups")
def flush_rollups() -> int:
    """Fold what transactions have left."""
    return flush_all_rollups()


@shared_task(name="billing.usage.tasks.watch_usage")
def watch_usage() -> int:
    """Tell of limits and balances that are being used up."""
    return watch(at=now())
