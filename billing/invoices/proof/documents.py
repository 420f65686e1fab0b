"""Whether issued documents are as they were issued, and say what their lines say (I1)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from billing.core.money import round_to_minor
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.models.invoice import NO_HASH
from billing.invoices.sealing import seal_of

_ZERO = Decimal(0)


def document_findings(account_id: UUID) -> Iterator[tuple[Invoice, str]]:
    """Each document of an account that is not what it was or does not add up, with a sentence; two queries."""
    documents = Invoice.objects.filter(account_id=account_id).order_by("position")
    lines: defaultdict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.filter(invoice__account_id=account_id).order_by("place"):
        lines[line.invoice_id].append(line)
    before = NO_HASH
    sequences = dict.fromkeys(Invoice.Kind, 0)
    for position, document in enumerate(documents, start=1):
        kind = Invoice.Kind(document.kind)
        sequences[kind] += 1
        for finding in _findings(document, lines[document.id], before, position, sequences[kind]):
            yield document, finding
        before = document.content_hash


def _findings(
    document: Invoice, lines: Sequence[InvoiceLine], before: str, position: int, sequence: int
) -> Iterator[str]:
    number = document.number
    if seal_of(document, lines) != document.content_hash:
        yield f"{number}: its content is not what was sealed."
    if document.previous_hash != before:
        yield f"{number}: it does not follow the document before it."
    if (document.position, document.sequence) != (position, sequence):
        yield f"{number}: document {position} of its account and number {sequence} of its kind are missing or twice."
    if sum((line.amount for line in lines), start=_ZERO) != document.subtotal:
        yield f"{number}: its lines do not come to its subtotal."
    if _tax_of(document) != document.tax:
        yield f"{number}: its taxes do not come to its tax."
    for line in lines:
        if line.kind != InvoiceLine.Kind.CORRECTION and line.amount != round_to_minor(line.rated, document.currency):
            yield f"{number}, line {line.place}: {line.amount} is not {line.rated} rounded once."


def _tax_of(document: Invoice) -> Decimal | None:
    """What the taxes come to; None where they are not written as we write them."""
    try:
        return sum((Decimal(tax["amount"]) for tax in document.taxes), start=_ZERO)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
