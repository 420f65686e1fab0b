"""One document: what it says, and apart from it how its payment stands and what has happened to it (I2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.urls import reverse

from billing.console.pages.cards import CardRow, charged_card
from billing.core.problems import Problem
from billing.invoices.documents.facts import DocumentFacts
from billing.invoices.documents.reading import document_facts
from billing.invoices.models import Invoice
from billing.invoices.queries import Document, lines_of
from billing.stripe_sync.client import is_configured
from billing.subscriptions.models import BillingAccount


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """Something that happened; `amount` in the document's currency where money moved, `url` of what tells more."""

    at: datetime
    text: str
    amount: Decimal | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """`facts` are the document itself, `history` what has happened since, the oldest first."""

    document: Document
    facts: DocumentFacts
    history: Sequence[HistoryItem]

    @property
    def is_credit_note(self) -> bool:
        return self.document.invoice.kind == Invoice.Kind.CREDIT_NOTE


@dataclass(frozen=True, slots=True)
class PayPage:
    """What is asked before an invoice is paid; without a `card` it is paid at `hosted_url`, or cannot be yet."""

    document: Document
    card: CardRow | None
    hosted_url: str
    is_configured: bool
    in_dialog: bool
    problem: Problem | None = None

    @property
    def can_pay(self) -> bool:
        return self.is_configured and bool(self.card or self.hosted_url)


def invoice_page(document: Document) -> InvoicePage:
    """Read the document's lines beside; two queries."""
    history = sorted(_history(document), key=lambda item: item.at)
    return InvoicePage(document, document_facts(document.invoice, lines_of(document.invoice)), history)


def pay_page(
    account: BillingAccount, document: Document, at: datetime, *, in_dialog: bool, problem: Problem | None = None
) -> PayPage:
    """The question, or with a `problem` why it was not paid."""
    return PayPage(
        document=document,
        card=charged_card(account.id, at),
        hosted_url=document.hosted_url,
        is_configured=is_configured(),
        in_dialog=in_dialog,
        problem=problem,
    )


def _history(document: Document) -> Iterator[HistoryItem]:
    invoice, payment = document.invoice, document.payment
    yield HistoryItem(invoice.issued_at, "Issued and sealed")
    for note in document.credit_notes:
        yield HistoryItem(note.issued_at, f"Credit note {note.number}", note.total, _address(note))
    if payment is not None and payment.paid_at is not None:
        if document.is_asked_later:
            yield HistoryItem(payment.paid_at, "Asked for later: nothing was due")
        elif document.is_nothing_due:
            yield HistoryItem(payment.paid_at, "Nothing was due")
        else:
            yield HistoryItem(payment.paid_at, "Paid", payment.amount_paid)


def _address(document: Invoice) -> str:
    return reverse("console:invoice", args=[document.id])
