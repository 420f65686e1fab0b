"""Usage that was taken back after an invoice had listed it (U3, I1)."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billing.core.ids import decode_id
from billing.invoices.charges import CHARGED, ChargeKey
from billing.invoices.models import Invoice, InvoiceLine
from billing.usage.models import UsageEvent


class Correction(NamedTuple):
    """Events of one key that an invoice lists, that were taken back since, and that no credit note names yet."""

    invoice: Invoice
    key: ChargeKey
    events: Sequence[UsageEvent]


def corrections_of(account_id: UUID) -> Iterator[Correction]:
    """What of the account's reversals needs a credit note, by invoice; under its ledger lock.

    An event is on the first document about its key that was issued after it was recorded; one that was taken back
    before that is on none. Reversals are few, and found by their index.
    """
    reversals = UsageEvent.objects.filter(account_id=account_id, reverses_id__isnull=False, funding__in=CHARGED)
    reversed_at = dict(reversals.values_list("reverses_id", "recorded_at"))
    taken_back = reversed_at.keys() - _noted(account_id) if reversed_at else set()
    if not taken_back:
        return
    listing = _Listing(account_id)
    found: defaultdict[tuple[UUID, ChargeKey], list[UsageEvent]] = defaultdict(list)
    for event in UsageEvent.objects.filter(account_id=account_id, id__in=list(taken_back), cost__gt=0).order_by("id"):
        key = ChargeKey(event.period_start, event.product, event.unit, event.funding)
        document = listing.document_of(key, event.recorded_at)
        if document is not None and document.issued_at <= reversed_at[event.id]:
            found[document.id, key].append(event)
    for (document_id, key), events in found.items():
        yield Correction(listing.documents[document_id], key, events)


def _noted(account_id: UUID) -> set[UUID]:
    """The events that credit notes name."""
    lines = InvoiceLine.objects.filter(account_id=account_id, kind=InvoiceLine.Kind.CORRECTION)
    return {decode_id("evt", event) for events in lines.values_list("events", flat=True) for event in events}


class _Listing:
    """Which invoices list which keys, in the order of their issue."""

    def __init__(self, account_id: UUID) -> None:
        invoices = Invoice.objects.filter(account_id=account_id, kind=Invoice.Kind.INVOICE)
        self.documents = {invoice.id: invoice for invoice in invoices}
        self._issued: defaultdict[ChargeKey, list[tuple[datetime, UUID]]] = defaultdict(list)
        lines = InvoiceLine.objects.filter(account_id=account_id, invoice__kind=Invoice.Kind.INVOICE)
        rows = lines.exclude(product="").order_by("invoice__position")
        names = ("invoice_id", "period_start", "product", "unit", "funding")
        for document_id, start, product, unit, funding in rows.values_list(*names):
            listed = self._issued[ChargeKey(start, product, unit, funding)]
            listed.append((self.documents[document_id].issued_at, document_id))

    def document_of(self, key: ChargeKey, recorded_at: datetime) -> Invoice | None:
        issued = self._issued[key]
        place = bisect_left(issued, recorded_at, key=lambda row: row[0])
        return self.documents[issued[place][1]] if place < len(issued) else None
