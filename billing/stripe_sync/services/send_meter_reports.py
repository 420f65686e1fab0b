from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import stripe
import structlog
from django.db import transaction

from billing.core.money import EXACT, minor_exponent
from billing.stripe_sync.client import is_configured, stripe_client
from billing.stripe_sync.errors import is_outage, told
from billing.stripe_sync.meter_reading import is_about, read_meter
from billing.stripe_sync.meter_reading import told as told_usage
from billing.stripe_sync.models import MeterReport, StripeCustomer, StripeMeter

_log = structlog.get_logger(__name__)
# Stripe remembers an identifier for a day at least. A report that may have arrived longer ago is looked for first.
_REMEMBERED = timedelta(hours=23)


class ReportRefused(Exception):
    """The report cannot be sent as things are; it is kept, and tried again."""


def send_meter_reports(*, at: datetime, limit: int = 1000) -> int:
    """Send reports that Stripe's meters do not have yet, oldest first; answers how many arrived (S7).

    Each arrives once, with two workers at work or one that dies on the way: under its identifier Stripe counts it once.
    One that is refused keeps the reason and is tried again; while Stripe is away all of them wait.
    """
    if not is_configured():
        return 0
    sent = 0
    for report_id in _waiting(limit):
        try:
            sent += send_report(report_id=report_id, at=at)
        except (stripe.StripeError, ReportRefused) as error:
            if is_outage(error):
                break
            _log.warning("meter_report_refused", report=str(report_id), error=told(error))
            MeterReport.objects.filter(id=report_id, sent_at=None).update(error=told(error))
    return sent


def _waiting(limit: int) -> Iterator[UUID]:
    waiting = MeterReport.objects.filter(sent_at__isnull=True).order_by("created_at", "id")
    yield from list(waiting.values_list("id", flat=True)[:limit])


def send_report(*, report_id: UUID, at: datetime) -> bool:
    """Send one, unless it is being sent or was; whether it is at Stripe because of this call.

    That it is on its way is committed before it is. Raises StripeNotConfigured, stripe.StripeError, ReportRefused.
    """
    MeterReport.objects.filter(id=report_id, tried_at=None).update(tried_at=at)
    with transaction.atomic():
        waiting = MeterReport.objects.select_for_update(skip_locked=True).filter(id=report_id, sent_at__isnull=True)
        report = waiting.first()
        if report is None:
            return False
        client, meter, customer = stripe_client(), _meter_of(report), _customer_of(report)
        was_long_ago = report.tried_at is not None and at - report.tried_at > _REMEMBERED
        if not (was_long_ago and _has_arrived(client, report, meter, customer, at)):
            _tell(client, report, meter, customer.customer_id)
        report.sent_at, report.error = at, ""
        report.save(update_fields=["sent_at", "error"])
    return True


def _tell(client: stripe.StripeClient, report: MeterReport, meter: StripeMeter, customer_id: str) -> None:
    """Count it in the running period; that Stripe has it already is as good.

    Without a time, so that Stripe takes its own now: ours may lie in a period that Stripe's clock, which a test clock
    moves on, has closed, and what is counted there is never billed.
    """
    value = _in_minor_units(report.amount, meter.currency)
    try:
        client.v1.billing.meter_events.create(
            {
                "event_name": meter.event_name,
                "identifier": report.identifier,
                "payload": {"stripe_customer_id": customer_id, "value": f"{value.normalize():f}"},
            }
        )
    except stripe.InvalidRequestError as error:
        if not _is_duplicate(error):
            raise


def _is_duplicate(error: stripe.InvalidRequestError) -> bool:
    return error.code == "duplicate_meter_event" or (
        error.param == "identifier" and "already exists" in (error.user_message or str(error))
    )


def _has_arrived(
    client: stripe.StripeClient, report: MeterReport, meter: StripeMeter, customer: StripeCustomer, at: datetime
) -> bool:
    """Whether the meter holds this report besides what is known to have arrived. Raises ReportRefused if unclear.

    One that repeats what was lost makes up what should be there, any other comes on top.
    """
    held, known = read_meter(client, meter, customer, at), told_usage(customer, report.product)
    without, with_it = (known - report.amount, known) if report.repeats else (known, known + report.amount)
    if is_about(held, with_it):
        return True
    if is_about(held, without):
        return False
    raise ReportRefused(f"The meter holds {held:f}, {known:f} is known to have arrived: compare them by hand.")


def _in_minor_units(amount: Decimal, currency: str) -> Decimal:
    return EXACT.scaleb(amount, minor_exponent(currency))


def _meter_of(report: MeterReport) -> StripeMeter:
    found = StripeMeter.objects.filter(product=report.product, currency=report.account.currency, is_active=True).first()
    if found is None:
        raise ReportRefused(f"Stripe has no meter for {report.product} in {report.account.currency}.")
    return found


def _customer_of(report: MeterReport) -> StripeCustomer:
    found = StripeCustomer.objects.filter(account_id=report.account_id, deleted_at__isnull=True).first()
    if found is None:
        raise ReportRefused("The account has no customer at Stripe.")
    return found
