from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.money import round_rated
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.meter_reading import MeterGap, meter_gaps, sent_to
from billing.stripe_sync.models import MeterReport, StripeCustomer
from billing.stripe_sync.services.report_meters import write_report
from billing.stripe_sync.services.send_meter_reports import ReportRefused, send_report
from billing.stripe_sync.services.sync_customer import lock_customer
from billing.subscriptions.queries import governing_agreement


def repeat_lost_usage(*, account_id: UUID, at: datetime) -> int:
    """Send again what Stripe's meters do not hold although it was sent; answers how many reports (S5, S7).

    Only to a live subscription, which will bill it. A meter that holds too much is for a person to decide. Raises
    StripeNotConfigured, stripe.StripeError.
    """
    with transaction.atomic():
        customer = lock_customer(account_id)
        if customer is None or governing_agreement(account_id) is None:
            return 0
        gaps = list(meter_gaps(stripe_client(), customer, at))
        reports = [_repeat(customer, gap, at) for gap in gaps if gap.held < gap.sent]
    for report in reports:
        _try_to_send(report, at)
    return len(reports)


def _repeat(customer: StripeCustomer, gap: MeterGap, at: datetime) -> MeterReport:
    last = sent_to(customer, gap.product).latest("period_start")
    return write_report(
        account_id=customer.account_id,
        product=gap.product,
        period_start=last.period_start,
        amount=round_rated(gap.sent - gap.held),
        at=at,
        repeats=True,
    )


def _try_to_send(report: MeterReport, at: datetime) -> None:
    """One that is refused is kept with the others that wait."""
    try:
        send_report(report_id=report.id, at=at)
    except ReportRefused as error:
        MeterReport.objects.filter(id=report.id, sent_at=None).update(error=str(error)[:300])
