"""Periodic work on invoices; each calls one service and is safe to run twice."""

from celery import shared_task
from django.utils.timezone import now

from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.invoices.services.refresh_payments import refresh_open_payments


@shared_task(name="billing.invoices.tasks.close_cycles")
def close_cycles() -> int:
    """Close the cycles that have ended."""
    return close_due_cycles(at=now())


@shared_task(name="billing.invoices.tasks.refresh_payments")
def refresh_payments() -> int:
    """Let what was paid of what is owed pay open invoices."""
    return refresh_open_payments(at=now())
