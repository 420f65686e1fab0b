"""Periodic work on runs and sessions."""

from celery import shared_task
from django.utils.timezone import now

from billing.runtime.services.end_lost_sessions import end_lost_sessions as end_lost
from billing.runtime.services.expire_holds import expire_holds as expire
from billing.runtime.services.tell_of_stopped_sessions import tell_of_stopped_sessions as tell_of_stopped


@shared_task(name="billing.runtime.tasks.expire_holds")
def expire_holds() -> int:
    """Give back what abandoned runs hold."""
    return expire(at=now())


@shared_task(name="billing.runtime.tasks.end_lost_sessions")
def end_lost_sessions() -> int:
    """Write down which sessions are lost."""
    return end_lost(at=now())


@shared_task(name="billing.runtime.tasks.tell_of_stopped_sessions")
def tell_of_stopped_sessions() -> int:
    """Tell tenants of sessions that were stopped."""
    return tell_of_stopped(at=now())
