"""The payment page: saved cards, masked, and the way to Stripe's portal (I3, S3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.console.pages.cards import CardRow, card_rows
from billing.console.pages.present_plan import PaymentNotice, payment_notice
from billing.console.queries import has_stripe_customer
from billing.core.problems import Problem
from billing.invoices.queries import OpenSum, to_be_paid
from billing.stripe_sync.client import is_configured
from billing.subscriptions.models import BillingAccount


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """`is_customer` is false before the first checkout: then there is nothing to show and no portal to open.

    `to_pay` are the open invoices, in `currency`.
    """

    is_configured: bool
    is_customer: bool
    cards: Sequence[CardRow]
    currency: str
    to_pay: OpenSum
    notice: PaymentNotice | None
    problem: Problem | None = None


def payment_page(account: BillingAccount, at: datetime, *, problem: Problem | None = None) -> PaymentPage:
    """What was last read of Stripe: it is shown while Stripe is away, and after its key was taken out (S6)."""
    return PaymentPage(
        is_configured=is_configured(),
        is_customer=has_stripe_customer(account.id),
        cards=card_rows(account.id, at),
        currency=account.currency,
        to_pay=to_be_paid(account.id),
        notice=payment_notice(account.id, at),
        problem=problem,
    )
