"""Reading documents: an account's list, one of them with what corrects it, and what is still to be paid (I1, I2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest

from billing.core.ids import InvalidId, decode_id, encode_id
from billing.credits.models.account import amount_field
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine, InvoicePayment

Position = tuple[datetime, UUID]
"""Of a document in a list: its issue and its id."""

_PREFIXES = {Invoice.Kind.INVOICE.value: "inv", Invoice.Kind.CREDIT_NOTE.value: "cn"}
_NOTHING = Value(Decimal(0), output_field=amount_field())


@dataclass(frozen=True, slots=True)
class Document:
    """An issued document and where its payment stands now; amounts in its currency.

    A credit note has no payment: its status is empty. `remaining` is what is still asked for: what is due less what was
    paid and what credit notes took off, nothing once it is paid, void or written off.
    """

    invoice: Invoice
    payment: InvoicePayment | None
    remaining: Decimal
    credit_notes: Sequence[Invoice]

    @property
    def public_id(self) -> str:
        return public_id(self.invoice)

    @property
    def status(self) -> str:
        if self.invoice.kind == Invoice.Kind.CREDIT_NOTE:
            return ""
        return self.payment.status if self.payment is not None else InvoicePayment.Status.OPEN.value

    @property
    def is_asked_later(self) -> bool:
        """Whether nothing is due because a later invoice asks for what it lists."""
        return self._asks_nothing and self.invoice.carried < 0

    @property
    def is_nothing_due(self) -> bool:
        """Whether nothing was due: credits and earlier payments cover it, or it was asked for before."""
        return self._asks_nothing and self.invoice.carried >= 0

    @property
    def _asks_nothing(self) -> bool:
        is_invoice = self.invoice.kind == Invoice.Kind.INVOICE
        return is_invoice and self.status == InvoicePayment.Status.PAID and self.invoice.amount_due <= 0

    @property
    def paid_otherwise(self) -> Decimal:
        """What was paid, where that is not the total: credits and what is carried over make it another sum."""
        is_paid = self.payment is not None and self.status == InvoicePayment.Status.PAID and not self._asks_nothing
        paid = self.payment.amount_paid if self.payment is not None and is_paid else self.invoice.total
        return paid if paid != self.invoice.total else Decimal(0)

    @property
    def hosted_url(self) -> str:
        """The processor's page to pay it on, or with its receipt; of ours alone only while something is left to pay."""
        if self.payment is None or not (self.remaining or self.invoice.external_id):
            return ""
        return self.payment.hosted_url

    @property
    def has_failed(self) -> bool:
        """Whether a payment was tried in vain, and it is still open."""
        return self.payment is not None and self.payment.attempts > 0 and self.status == InvoicePayment.Status.OPEN


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents: of a kind, by payment status (all where it is empty), issued at or after, issued before."""

    kind: str = Invoice.Kind.INVOICE.value
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None


EVERY_INVOICE = DocumentFilter()


@dataclass(frozen=True, slots=True)
class OpenSum:
    """How many invoices of an account are to be paid, and what they come to."""

    count: int
    amount: Decimal


def public_id(invoice: Invoice) -> str:
    """The id of a document for the outside: `inv_…`, or `cn_…` of a credit note."""
    return encode_id(_PREFIXES[invoice.kind], invoice.id)


def read_public_id(text: str) -> tuple[str, UUID]:
    """The kind and the id that `public_id` wrote. Raises InvalidId."""
    for kind, prefix in _PREFIXES.items():
        if text.startswith(f"{prefix}_"):
            return kind, decode_id(prefix, text)
    raise InvalidId("That is no id of a document.")


def documents_of(
    account_id: UUID, *, limit: int, before: Position | None = None, chosen: DocumentFilter = EVERY_INVOICE
) -> list[Document]:
    """The newest documents of an account, those before a position of the list; two queries."""
    rows = _documents().filter(account_id=account_id, kind=chosen.kind)
    if chosen.status:
        rows = rows.filter(payment__status=chosen.status)
    if chosen.since is not None:
        rows = rows.filter(issued_at__gte=chosen.since)
    if chosen.until is not None:
        rows = rows.filter(issued_at__lt=chosen.until)
    if before is not None:
        issued_at, document_id = before
        rows = rows.filter(Q(issued_at__lt=issued_at) | Q(issued_at=issued_at, id__lt=document_id))
    return [_document(row) for row in rows[:limit]]


def find_document(
    document_id: UUID, *, tenant_id: UUID, workspace_id: UUID | None = None, kind: str = ""
) -> Document | None:
    """A document of any of the tenant's accounts, or of the one that pays for the workspace; two queries."""
    rows = _documents().filter(id=document_id, account__tenant_id=tenant_id)
    if workspace_id is not None:
        rows = rows.filter(account__workspace_links__workspace_id=workspace_id)
    if kind:
        rows = rows.filter(kind=kind)
    row = rows.first()
    return _document(row) if row is not None else None


def lines_of(invoice: Invoice) -> list[InvoiceLine]:
    """What a document charges, as it lists it; one query."""
    return list(InvoiceLine.objects.filter(invoice=invoice).order_by("place"))


def to_be_paid(account_id: UUID) -> OpenSum:
    """What the account's open invoices still ask for; one query."""
    rows = _with_remaining(Invoice.objects.filter(account_id=account_id, payment__status=InvoicePayment.Status.OPEN))
    amounts = [amount for row in rows.only("id") if (amount := vars(row)["remaining"]) > 0]
    return OpenSum(len(amounts), sum(amounts, Decimal(0)))


def asked_of_debt(account_id: UUID) -> Decimal:
    """What of the account's debt for usage invoices ask for that are not paid; two queries.

    Of the processor's that is without the plan and taxes, and of voided ones too: no later invoice asks for it again.
    """
    theirs = Invoice.objects.filter(account_id=account_id, kind=Invoice.Kind.INVOICE).exclude(external_id="")
    usage = InvoiceLine.objects.filter(~Q(product="") | Q(kind=InvoiceLine.Kind.CREDIT), invoice_id=OuterRef("id"))
    listed = Coalesce(Subquery(usage.order_by().values("invoice_id").values(sum=Sum("amount"))), _NOTHING)
    metered = theirs.exclude(payment__status=InvoicePayment.Status.PAID).annotate(
        metered=listed - F("credits_applied") + F("carried")
    )
    return sum(metered.values_list("metered", flat=True), asked_by_ours(account_id))


def asked_by_ours(account_id: UUID) -> Decimal:
    """What open invoices of ours alone still ask for; one query."""
    ours = Invoice.objects.filter(account_id=account_id, external_id="", payment__status=InvoicePayment.Status.OPEN)
    return sum((vars(row)["remaining"] for row in _with_remaining(ours).only("id")), Decimal(0))


def asked_by_one_off(account_id: UUID, amount: Decimal) -> list[Document]:
    """The open invoices of ours alone that a payment of this much would go to, oldest first; two queries."""
    rows = _documents().filter(account_id=account_id, external_id="", payment__status=InvoicePayment.Status.OPEN)
    found = []
    for row in rows.order_by("position"):
        document = _document(row)
        if amount > 0 and document.remaining:
            found.append(document)
            amount -= document.remaining
    return found


def remaining_of(invoice_id: UUID) -> Decimal:
    """What an invoice still asks for; one query."""
    return Decimal(vars(_with_remaining(Invoice.objects.filter(id=invoice_id)).get())["remaining"])


def has_documents(account_id: UUID) -> bool:
    """Whether anything was ever issued to the account."""
    return Invoice.objects.filter(account_id=account_id).exists()


def having_documents(account_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the accounts that anything was ever issued to; one query."""
    rows = Invoice.objects.filter(account_id__in=list(account_ids)).order_by().values_list("account_id", flat=True)
    return set(rows.distinct())


def running_cycle(account_id: UUID) -> BillingCycle | None:
    """The cycle that is not closed yet, if the account has one by now."""
    return BillingCycle.objects.filter(account_id=account_id).exclude(state=BillingCycle.State.CLOSED).first()


def _documents() -> QuerySet[Invoice]:
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE).order_by("issued_at", "id")
    rows = Invoice.objects.select_related("payment", "corrects").order_by("-issued_at", "-id")
    return _with_remaining(rows).prefetch_related(Prefetch("credit_notes", queryset=notes))


def _with_remaining(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    # The processor goes on asking for usage that was taken back, and takes it off its next invoice.
    elsewhere = Q(reason=Invoice.Reason.CORRECTION) & ~Q(corrects__external_id="")
    notes = Invoice.objects.filter(~elsewhere, corrects_id=OuterRef("id")).order_by().values("corrects_id")
    taken_off = Coalesce(Subquery(notes.annotate(taken=Sum("off_debt")).values("taken")), _NOTHING)
    paid = Coalesce(F("payment__amount_paid"), _NOTHING)
    settled = Q(payment__status__in=set(InvoicePayment.Status) - {InvoicePayment.Status.OPEN})
    asked_again = Coalesce(F("payment__voided_notes"), _NOTHING)
    asked = Greatest(F("amount_due") - paid - taken_off + asked_again, _NOTHING)
    return rows.annotate(remaining=Case(When(settled, then=_NOTHING), default=asked))


def _document(row: Invoice) -> Document:
    payment: InvoicePayment | None = getattr(row, "payment", None)
    return Document(row, payment, vars(row)["remaining"], list(row.credit_notes.all()))
