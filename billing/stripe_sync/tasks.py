"""Periodic and queued work with Stripe; each calls one service and is safe to run twice."""

from celery import shared_task
from django.utils.timezone import now

from billing.stripe_sync.services.work_inbox import work_inbox as work


@shared_task(name="billing.stripe_sync.tasks.work_inbox")
def work_inbox() -> int:
    """Work through events that are due."""
    return work(at=now())


def queue_inbox() -> None:
    """Ask a worker to look at the inbox now. Should the broker be away, the periodic look finds the event later."""
    work_inbox.delay()
