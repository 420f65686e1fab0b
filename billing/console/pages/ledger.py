"""Ledger entries as the console lists them, and the cursor that continues a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing.credits.queries import LedgerEntry, ledger_of
from billing.subscriptions.models import BillingAccount

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MEANING = {
    "usage": "Metered usage",
    "reversal": "Usage taken back",
    "grant": "Credits granted",
    "purchase": "Credits bought",
    "promotion": "Promotional credits",
    "adjustment": "Adjustment by our staff",
    "expiry": "Credits expired",
}
_KINDS = {
    "usage": "Usage",
    "reversal": "Usage taken back",
    "grant": "Grant",
    "purchase": "Purchase",
    "promotion": "Promotion",
    "adjustment": "Adjustment",
    "expiry": "Expired",
    "refund": "Refund",
    "payment": "Payment",
}
_KINDS_OF_DEBT = {
    "usage": "Owed usage",
    "reversal": "Off what is owed",
    "adjustment": "Off what is owed",
    "refund": "Owed after a refund",
}

Position = tuple[datetime, UUID]


class BadCursor(ValueError):
    """A text that is no cursor of a ledger."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A movement; `amount` is positive where credits came in. Where `is_owed`, it is of what usage lacked in credits,
    or of what an invoice asks for: which one does is not told by the movement. `label` is its kind in words.
    """

    at: datetime
    kind: str
    label: str
    description: str
    amount: Decimal
    is_owed: bool


@dataclass(frozen=True, slots=True)
class LedgerSlice:
    """Movements, newest first, and the address of the next ones; empty at the end."""

    rows: Sequence[LedgerRow]
    next_url: str


def ledger_slice(account: BillingAccount, *, limit: int, before: Position | None = None) -> LedgerSlice:
    """Up to `limit` movements of the account's prepaid credits and of what it owes; one query."""
    entries = ledger_of(
        credits_id=account.credits_id, receivable_id=account.receivable_id, limit=limit + 1, before=before
    )
    shown = entries[:limit]
    more = urlencode({"before": write_cursor(shown[-1])}) if len(entries) > limit else ""
    return LedgerSlice([_row(entry) for entry in shown], f"{reverse('console:credits')}?{more}" if more else "")


def write_cursor(entry: LedgerEntry) -> str:
    """The position of an entry in a list."""
    return write_position(entry.at, entry.id)


def write_position(at: datetime, identity: UUID) -> str:
    """A position in a list by time: microseconds since 1970 and an id."""
    return f"{(at - _EPOCH) // _MICROSECOND}-{identity.hex}"


def read_cursor(text: str) -> Position:
    """Read what `write_position` wrote. Raises BadCursor."""
    moment, _, identity = text.partition("-")
    try:
        return _EPOCH + int(moment) * _MICROSECOND, UUID(hex=identity)
    except (ValueError, OverflowError):
        raise BadCursor(text) from None


def _row(entry: LedgerEntry) -> LedgerRow:
    description = entry.description or _MEANING.get(entry.reason, entry.reason)
    is_owed = entry.account == "owed"
    label = _KINDS.get(entry.reason, entry.reason.capitalize())
    if is_owed:
        label = _KINDS_OF_DEBT.get(entry.reason, label)
    return LedgerRow(entry.at, entry.reason, label, description, entry.amount, is_owed=is_owed)
