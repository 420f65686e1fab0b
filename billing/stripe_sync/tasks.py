"""Periodic and queued work with Stripe; each calls one service and is safe to run twice."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import stripe
import structlog
from celery import shared_task
from django.db import transaction
from django.utils.timezone import now

from billing.stripe_sync.client import is_configured
from billing.stripe_sync.errors import is_outage, told
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.queries import inbox_lag
from billing.stripe_sync.services.forget_deliveries import forget_deliveries
from billing.stripe_sync.services.push_catalogue import push_what_is_new
from billing.stripe_sync.services.push_details import push_details, push_waiting_details
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.report_meters import report_meters
from billing.stripe_sync.services.send_meter_reports import send_meter_reports
from billing.stripe_sync.services.send_payout import send_payouts
from billing.stripe_sync.services.work_inbox import work_inbox as work

_log = structlog.get_logger(__name__)
_LATE = timedelta(minutes=5)  # from which on the inbox is worth a line in the log


@shared_task(name="billing.stripe_sync.tasks.work_inbox")
def work_inbox() -> int:
    """Work through events that are due; the log says when the inbox falls behind or gave something up."""
    settled = work(at=now())
    lag = inbox_lag(at=now())
    if lag.oldest > _LATE or lag.failed:
        _log.warning(
            "stripe_inbox_behind", waiting=lag.waiting, failed=lag.failed, seconds=int(lag.oldest.total_seconds())
        )
    return settled


def queue_inbox() -> None:
    """Ask a worker to look at the inbox now. Should the broker be away, the periodic look finds the event later."""
    work_inbox.delay()


@shared_task(name="billing.stripe_sync.tasks.push_prices")
def push_prices() -> None:
    """Push plan versions that were published since the last look (S1)."""
    _while_stripe_is_there(lambda: push_what_is_new(at=now()))


@shared_task(name="billing.stripe_sync.tasks.push_details")
def push_billing_details(account_id: str = "") -> None:
    """Let Stripe have the billing details that it lacks: of one account, or of all (I1)."""
    if account_id:
        _while_stripe_is_there(lambda: push_details(account_id=UUID(account_id), at=now()))
    else:
        _while_stripe_is_there(lambda: push_waiting_details(at=now()))


def queue_details(account_id: UUID) -> None:
    """Ask a worker to send an account's billing details, once they are saved; the periodic work does so otherwise."""
    if is_configured() and StripeCustomer.objects.filter(account_id=account_id).exists():
        transaction.on_commit(lambda: push_billing_details.delay(str(account_id)), robust=True)


@shared_task(name="billing.stripe_sync.tasks.compare_with_stripe")
def compare_with_stripe(*, repair: bool = True) -> None:
    """Find drift, and repair it (S5)."""
    _while_stripe_is_there(lambda: reconcile(at=now(), repair=repair))


@shared_task(name="billing.stripe_sync.tasks.forget_deliveries")
def forget_old_deliveries() -> int:
    """Delete raw webhook deliveries after a while (S4)."""
    return forget_deliveries(at=now())


@shared_task(name="billing.stripe_sync.tasks.report_meters")
def report_usage() -> int:
    """Write down what metered usage has grown by, and send what Stripe's meters lack (S7)."""
    report_meters(at=now())
    return send_meter_reports(at=now())


@shared_task(name="billing.stripe_sync.tasks.send_payouts")
def send_waiting_payouts() -> int:
    """Send payouts whose first try ended without an answer (M10)."""
    return send_payouts(at=now())


def _while_stripe_is_there(work: Callable[[], object]) -> None:
    """Do it if there is a Stripe to speak to; an outage ends it with a line in the log, for the next look is soon."""
    if not is_configured():
        return
    try:
        work()
    except stripe.StripeError as error:
        if not is_outage(error):
            raise
        _log.warning("stripe_away", error=told(error))
