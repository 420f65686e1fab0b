from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Sum
from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.stripe_sync.models import MeterReport, StripeMeter
from billing.stripe_sync.services.sync_customer import lock_customer
from billing.subscriptions.models import Agreement
from billing.subscriptions.queries import governing_agreement
from billing.usage.invoiced import Sums, invoiced_costs


def report_meters(*, at: datetime) -> int:
    """Write down, to be sent to Stripe, what usage has grown or shrunk by since the last report (S7); answers how many.

    Of accounts whose plan a live agreement gives: their metered usage of the agreement's periods, as far as it goes on
    the invoice. A report names the period that the usage belongs to; it is billed with the period in which it is sent,
    so that what is known only after a period has ended is on the next invoice.
    """
    live = Agreement.objects.filter(governs=True, status__in=Agreement.LIVE)
    reachable = live.filter(account__stripe_customer__deleted_at__isnull=True, account__stripe_customer__isnull=False)
    return sum(_report(account_id, at) for account_id in reachable.values_list("account_id", flat=True).order_by("id"))


def _report(account_id: UUID, at: datetime) -> int:
    if not _differences(account_id):
        return 0
    with transaction.atomic():
        if lock_customer(account_id) is None:  # one at a time; looked at again, since another may have written
            return 0
        differences = _differences(account_id)
        for (period_start, product), amount in differences.items():
            write_report(account_id=account_id, product=product, period_start=period_start, amount=amount, at=at)
    return len(differences)


def _differences(account_id: UUID) -> Sums:
    """What is not reported yet, by period and product that Stripe has a meter for."""
    agreement = governing_agreement(account_id)
    if agreement is None:
        return {}
    metered = set(
        StripeMeter.objects.filter(is_active=True, currency=agreement.plan_version.currency).values_list(
            "product", flat=True
        )
    )
    costs = invoiced_costs(account_id=account_id, since=agreement.started_at)
    reported = _reported(account_id, agreement.started_at)
    left = {key: costs.get(key, Decimal(0)) - reported.get(key, Decimal(0)) for key in {**costs, **reported}}
    return {key: amount for key, amount in sorted(left.items()) if amount and key[1] in metered}


def _reported(account_id: UUID, since: datetime) -> Mapping[tuple[datetime, str], Decimal]:
    rows = MeterReport.objects.filter(account_id=account_id, period_start__gte=since, repeats=False).order_by()
    sums = rows.values_list("period_start", "product").annotate(amount=Sum("amount"))
    return {(start, product): amount for start, product, amount in sums}


def write_report(
    *, account_id: UUID, product: str, period_start: datetime, amount: Decimal, at: datetime, repeats: bool = False
) -> MeterReport:
    """The next report of a product and period, to be sent; under the customer's lock."""
    report_id = uuid7()
    before = MeterReport.objects.filter(account_id=account_id, product=product, period_start=period_start)
    return MeterReport.objects.create(
        id=report_id,
        account_id=account_id,
        product=product,
        period_start=period_start,
        sequence=(before.aggregate(last=Max("sequence"))["last"] or 0) + 1,
        amount=amount,
        repeats=repeats,
        identifier=encode_id("mtr", report_id),
        created_at=at,
    )
