"""Periodic work on usage."""

from celery import shared_task

from billing.usage.services.flush_rollups import flush_all_rollups


@shared_task(name="billing.usage.tasks.flush_rollups")
def flush_rollups() -> int:
    """Fold what transactions have left."""
    return flush_all_rollups()
