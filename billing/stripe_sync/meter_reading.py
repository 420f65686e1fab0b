"""What Stripe's meters hold of a customer, against what was sent to them (S7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import stripe
from django.db.models import Max, QuerySet, Sum

from billing.core.money import EXACT, minor_exponent
from billing.stripe_sync.models import MeterReport, StripeCustomer, StripeMeter
from billing.subscriptions.models import Agreement

# Meters add up after they have answered; a report may be missing in a sum for a while.
_ADDED_UP_AFTER = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MeterGap:
    """A meter that holds something else than was sent to it; both in the account's currency."""

    product: str
    held: Decimal
    sent: Decimal


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent, and between which sums a meter lies that has not added up the newest yet."""

    amount: Decimal
    low: Decimal
    high: Decimal


def read_meter(client: stripe.StripeClient, meter: StripeMeter, customer: StripeCustomer, at: datetime) -> Decimal:
    """All that a meter ever counted of a customer, in the account's currency. Raises stripe.StripeError.

    By Stripe's clock, which may be ahead of ours (a test clock): not past the end of the period that it is in.
    """
    agreements = Agreement.objects.filter(account_id=customer.account_id)
    end = max(agreements.aggregate(last=Max("period_end"))["last"] or at, at) + _DAY
    summaries = client.v1.billing.meters.event_summaries.list(
        meter.meter_id,
        {
            "customer": customer.customer_id,
            "start_time": _minute(customer.created_at - _DAY),
            "end_time": _minute(end),
        },
    )
    counted = sum((Decimal(str(one.aggregated_value)) for one in summaries.auto_paging_iter()), start=Decimal(0))
    return EXACT.scaleb(counted, -minor_exponent(meter.currency))


def is_about(held: Decimal, expected: Decimal) -> bool:
    """Equal but for what a floating-point sum, which Stripe answers with, may be off by."""
    return abs(held - expected) <= _blur(expected)


def sent_to(customer: StripeCustomer, product: str) -> QuerySet[MeterReport]:
    """Reports that reached this customer, not one before it that Stripe has deleted."""
    since = customer.created_at.replace(microsecond=0)
    return MeterReport.objects.filter(account_id=customer.account_id, product=product, sent_at__gte=since)


def told(customer: StripeCustomer, product: str) -> Decimal:
    """The usage that the meter should hold; repeats of what was lost are not more usage."""
    return sent_to(customer, product).filter(repeats=False).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def meter_gaps(client: stripe.StripeClient, customer: StripeCustomer, at: datetime) -> Iterator[MeterGap]:
    """Meters that hold something else than was sent; one request a product that the customer ever used.

    Passed over while a report is on its way, and what was sent within the last hour may be there or not.
    """
    used = MeterReport.objects.filter(account_id=customer.account_id).values("product")
    for meter in StripeMeter.objects.filter(is_active=True, currency=customer.account.currency, product__in=used):
        sent = _sent(customer, meter.product, at)
        held = read_meter(client, meter, customer, at) if sent is not None else Decimal(0)
        if sent is None or _sent(customer, meter.product, at) != sent:  # something was sent while we looked
            continue
        if not sent.low - _blur(sent.low) <= held <= sent.high + _blur(sent.high):
            yield MeterGap(meter.product, held, sent.amount)


def _sent(customer: StripeCustomer, product: str, at: datetime) -> _Sent | None:
    """None while it is unknown."""
    waiting = MeterReport.objects.filter(account_id=customer.account_id, product=product, sent_at=None)
    if waiting.filter(tried_at__isnull=False).exists() or waiting.filter(repeats=True).exists():
        return None
    amount = told(customer, product)
    newest = sent_to(customer, product).filter(sent_at__gt=at - _ADDED_UP_AFTER).values_list("amount", flat=True)
    more = sum((one for one in newest if one > 0), start=Decimal(0))
    less = sum((one for one in newest if one < 0), start=Decimal(0))
    return _Sent(amount, amount - more, amount - less)


def _blur(amount: Decimal) -> Decimal:
    return Decimal("0.00000001") + abs(amount) * Decimal("1e-12")


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60 * 60
