"""The payment page: saved cards, masked, and the invoices at Stripe (I3, S3)."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from billing.console.pages.present_plan import PaymentNotice, payment_notice
from billing.console.queries import has_stripe_customer
from billing.core.problems import Problem
from billing.stripe_sync.client import is_configured
from billing.stripe_sync.queries import MaskedCard, StripeInvoice, invoices_at_stripe, payment_methods_of
from billing.subscriptions.models import BillingAccount

_SOON = timedelta(days=60)
_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


@dataclass(frozen=True, slots=True)
class CardRow:
    """A saved card; nothing of it is known here but this. `expiry` is as on the card, `state` ok, soon or expired."""

    brand: str
    last4: str
    expiry: str
    is_default: bool
    state: str


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """`is_customer` is false before the first checkout: then there is nothing to show and no portal to open."""

    is_configured: bool
    is_customer: bool
    cards: Sequence[CardRow]
    invoices: Sequence[StripeInvoice]
    notice: PaymentNotice | None
    problem: Problem | None = None


def payment_page(account: BillingAccount, at: datetime, *, problem: Problem | None = None) -> PaymentPage:
    """What was last read of Stripe: it is shown while Stripe is away, and after its key was taken out (S6)."""
    return PaymentPage(
        is_configured=is_configured(),
        is_customer=has_stripe_customer(account.id),
        cards=[_card(card, at) for card in payment_methods_of(account.id)],
        invoices=invoices_at_stripe(account.id),
        notice=payment_notice(account.id, at),
        problem=problem,
    )


def _card(card: MaskedCard, at: datetime) -> CardRow:
    return CardRow(
        brand=_BRANDS.get(card.brand, card.brand.replace("_", " ").capitalize()),
        last4=card.last4,
        expiry=f"{card.exp_month:02}/{card.exp_year % 100:02}",
        is_default=card.is_default,
        state=_state(card.exp_month, card.exp_year, at),
    )


def _state(month: int, year: int, at: datetime) -> str:
    """A card is good until the last day of its month."""
    ends_at = datetime(year, month, monthrange(year, month)[1], tzinfo=UTC) + timedelta(days=1)
    if ends_at <= at:
        return "expired"
    return "soon" if ends_at <= at + _SOON else "ok"
