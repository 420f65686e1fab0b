"""Usage that was taken back after an invoice had listed it (U3, I1)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from billing.core.ids import decode_id
from billing.invoices.charges import CHARGED, Charge, ChargeKey
from billing.invoices.models import Invoice, InvoiceLine
from billing.usage.models import UsageEvent


class Correction(NamedTuple):
    """Events of one key that an invoice lists, that were taken back since, and that no credit note names yet.

    `after_document` is the position of the last document that came before the last of these reversals.
    """

    invoice: Invoice
    key: ChargeKey
    events: Sequence[UsageEvent]
    after_document: int

    @property
    def cost(self) -> Decimal:
        return sum((event.cost for event in self.events), start=Decimal(0))


def corrections_of(account_id: UUID) -> Iterator[Correction]:
    """What of the account's reversals needs a credit note, by invoice; under its ledger lock.

    An event is on the first document about its key that was issued after it was recorded; one that was taken back
    before that is on none. Which came first is the order of the ledger lock, whatever clocks said. Reversals are few,
    and found by their index.
    """
    reversals = UsageEvent.objects.filter(account_id=account_id, reverses_id__isnull=False, funding__in=CHARGED)
    reversed_after = dict(reversals.values_list("reverses_id", "after_document"))
    taken_back = reversed_after.keys() - noted_events(account_id) if reversed_after else set()
    if not taken_back:
        return
    listing = _Listing(account_id)
    found: defaultdict[tuple[UUID, ChargeKey], list[UsageEvent]] = defaultdict(list)
    for event in UsageEvent.objects.filter(account_id=account_id, id__in=list(taken_back), cost__gt=0).order_by("id"):
        document = listing.document_of(event)
        if document is not None and document.position <= reversed_after[event.id]:
            found[document.id, _key_of(event)].append(event)
    for (document_id, key), events in found.items():
        last = max(reversed_after[event.id] for event in events)
        yield Correction(listing.documents[document_id], key, events, last)


def document_of(event: UsageEvent) -> Invoice | None:
    """The invoice that lists an event that was not taken back; None while there is none. Under the ledger lock."""
    return _Listing(event.account_id).document_of(event)


def with_uncredited(
    charges: dict[ChargeKey, Charge], uncredited: Iterable[Correction], *, before: datetime
) -> dict[ChargeKey, Charge]:
    """What is unlisted, where some usage was taken back that no credit note can say, added in place.

    Its invoice is credited as a whole, or it comes to too little: documents go on listing it, and must not set it
    against other usage.
    """
    for correction in uncredited:
        if correction.key.period_start < before:
            charge = charges.setdefault(correction.key, Charge())
            for event in correction.events:
                charge.put_back(event)
    return {key: charge for key, charge in sorted(charges.items()) if not charge.is_nothing}


def noted_events(account_id: UUID) -> set[UUID]:
    """The events that credit notes name."""
    lines = InvoiceLine.objects.filter(account_id=account_id, kind=InvoiceLine.Kind.CORRECTION)
    return {decode_id("evt", event) for events in lines.values_list("events", flat=True) for event in events}


class _Listing:
    """Which invoices list which keys, in the order of their issue."""

    def __init__(self, account_id: UUID) -> None:
        invoices = Invoice.objects.filter(account_id=account_id, kind=Invoice.Kind.INVOICE)
        self.documents = {invoice.id: invoice for invoice in invoices}
        self._listed: defaultdict[ChargeKey, list[Invoice]] = defaultdict(list)
        lines = InvoiceLine.objects.filter(account_id=account_id, invoice__kind=Invoice.Kind.INVOICE)
        rows = lines.exclude(product="").order_by("invoice__position")
        names = ("invoice_id", "period_start", "product", "unit", "funding")
        for document_id, start, product, unit, funding in rows.values_list(*names):
            self._listed[ChargeKey(start, product, unit, funding)].append(self.documents[document_id])

    def document_of(self, event: UsageEvent) -> Invoice | None:
        listed = self._listed[_key_of(event)]
        place = bisect_right(listed, event.after_document, key=lambda document: document.position)
        return listed[place] if place < len(listed) else None


def _key_of(event: UsageEvent) -> ChargeKey:
    return ChargeKey(event.period_start, event.product, event.unit, event.funding)
