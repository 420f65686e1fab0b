"""The list of invoices: what is to be paid, what will be on the next one, and what was issued (I1, I2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.pages.ledger import write_position
from billing.console.pages.present_plan import PaymentNotice, payment_notice
from billing.core.periods import Period
from billing.invoices.charges import CHARGED, unlisted_charges
from billing.invoices.queries import (
    Document,
    DocumentFilter,
    OpenSum,
    Position,
    documents_of,
    has_documents,
    having_documents,
    running_cycle,
    to_be_paid,
)
from billing.invoices.reversals import corrections_of, with_uncredited
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of

ROWS = 25
FILTERS = {"": "All", "open": "Open", "paid": "Paid", "void": "Void", "uncollectible": "Written off"}
_RARE = frozenset({"void", "uncollectible"})  # offered where they are chosen


@dataclass(frozen=True, slots=True)
class FilterLink:
    """A choice of invoices by their payment."""

    label: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Running:
    """What no invoice has listed yet: `usage` is what it costs so far, without what is included or on own keys.
    Usage that was taken back after it was listed is for a credit note.

    `is_over` once the period has ended and its invoice is on the way.
    """

    period: Period
    usage: Decimal
    is_over: bool


@dataclass(frozen=True, slots=True)
class InvoiceSlice:
    """Documents, the newest first, and the address of the next ones; empty at the end."""

    documents: Sequence[Document]
    next_url: str


@dataclass(frozen=True, slots=True)
class InvoicesPage:
    """Amounts in `currency`. `has_any` tells an account without invoices from a choice that leaves none over;
    `elsewhere` are then the tenant's other accounts, of those that the member may see, that have some.
    """

    currency: str
    to_pay: OpenSum
    running: Running | None
    has_any: bool
    elsewhere: Sequence[BillingAccount]
    status: str
    filters: Sequence[FilterLink]
    documents: Sequence[Document]
    next_url: str
    notice: PaymentNotice | None


def invoices_page(
    account: BillingAccount,
    at: datetime,
    *,
    status: str,
    before: Position | None,
    others: Sequence[BillingAccount] = (),
) -> InvoicesPage:
    """An account's page, also of one without a plan: what was issued stays. `others` are the tenant's that are open to
    the member.
    """
    listed = invoice_slice(account, status=status, before=before)
    has_any = bool(listed.documents) or has_documents(account.id)
    invoiced = having_documents(other.id for other in others) if others and not has_any else set()
    return InvoicesPage(
        currency=account.currency,
        to_pay=to_be_paid(account.id),
        running=_running(account, at),
        has_any=has_any,
        elsewhere=[other for other in others if other.id in invoiced],
        status=status,
        filters=_filters(status),
        documents=listed.documents,
        next_url=listed.next_url,
        notice=payment_notice(account.id, at),
    )


def invoice_slice(account: BillingAccount, *, status: str, before: Position | None) -> InvoiceSlice:
    """Up to `ROWS` invoices; two queries."""
    found = documents_of(account.id, limit=ROWS + 1, before=before, chosen=DocumentFilter(status=status))
    shown = found[:ROWS]
    if len(found) <= ROWS:
        return InvoiceSlice(shown, "")
    last = shown[-1].invoice
    return InvoiceSlice(shown, _url(status=status, before=write_position(last.issued_at, last.id)))


def _filters(status: str) -> list[FilterLink]:
    offered = {key: label for key, label in FILTERS.items() if key not in _RARE or key == status}
    return [FilterLink(label, _url(status=key), key == status) for key, label in offered.items()]


def _running(account: BillingAccount, at: datetime) -> Running | None:
    """The open cycle; before the account's first one is written down, the plan's present period, if it has a plan."""
    cycle = running_cycle(account.id)
    try:
        period = terms_of(account.id, at).period(at) if cycle is None else Period(cycle.starts_at, cycle.ends_at)
    except NoActivePlan:
        return None
    charges = with_uncredited(unlisted_charges(account.id, before=at), corrections_of(account.id), before=at)
    usage = sum((charge.cost for key, charge in charges.items() if key.funding in CHARGED), start=Decimal(0))
    return Running(period, max(usage, Decimal(0)), is_over=period.end <= at)


def _url(**parameters: str) -> str:
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{reverse('console:invoices')}?{query}" if query else reverse("console:invoices")
