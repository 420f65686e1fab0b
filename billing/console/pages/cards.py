"""Saved cards, masked, as pages show them (I3)."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from billing.stripe_sync.queries import MaskedCard, payment_methods_of

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


def card_rows(account_id: UUID, at: datetime) -> list[CardRow]:
    """The account's cards as they were last read, the one that is charged first."""
    return [card_row(card, at) for card in payment_methods_of(account_id)]


def charged_card(account_id: UUID, at: datetime) -> CardRow | None:
    """The card that is charged, if there is one."""
    return next((card for card in card_rows(account_id, at) if card.is_default), None)


def card_row(card: MaskedCard, at: datetime) -> CardRow:
    """A card as of a moment."""
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
