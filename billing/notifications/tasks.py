"""Periodic work on notices."""

from celery import shared_task
from django.utils.timezone import now

from billing.notifications.services.send_notices import send_notices as send
from billing.notifications.services.tell_of_agreement import tell_of_overdue_plans
from billing.notifications.services.tell_of_keys import tell_of_keys as tell


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
