"""Periodic work on keys."""

from celery import shared_task
from django.utils.timezone import now

from vault.services.check_due import check_due
from vault.services.end_overlaps import end_overlaps as end


@shared_task(name="vault.tasks.check_keys")
def check_keys() -> int:
    """Check the keys that are due."""
    return check_due(at=now())


@shared_task(name="vault.tasks.end_overlaps")
def end_overlaps() -> int:
    """Erase replaced versions whose time is over."""
    return end(at=now())
