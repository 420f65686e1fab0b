"""Documents of credit notes that were made at the processor."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from uuid_utils.compat import uuid7

from billing.credits.models import Transfer
from billing.invoices.errors import DocumentDisagrees, NotCreditable
from billing.invoices.models import Invoice
from billing.invoices.processor import ProcessorNote, ProcessorNoteLine, ProcessorTax
from billing.invoices.queries import remaining_of
from billing.invoices.services.issue_processor_note import issue_processor_note
from billing.invoices.services.verify_invoices import verify_document
from tests.invoices.issued import credit, issue
from tests.make import AT, make_customer

pytestmark = pytest.mark.usefixtures("catalogue")
TAX = {"name": "VAT", "percent": "19", "country": "DE", "amount": "1.71"}


@pytest.fixture
def invoice() -> Invoice:
    """9.00 and 1.71 of tax, to be paid at the processor."""
    account = make_customer("pro").account
    return issue(account, taxes=[TAX], columns={"external_id": "in_1", "external_number": "A-1"})


def note_of(net: str = "2.00", tax: str = "0.38", **more: Any) -> ProcessorNote:
    facts: Mapping[str, Any] = {
        "external_id": "cn_1",
        "number": "A-1-CN-01",
        "invoice_id": "in_1",
        "currency": "USD",
        "lines": [ProcessorNoteLine("cnli_1", "Plan", Decimal(1), Decimal(net))],
        "taxes": [ProcessorTax("VAT", Decimal(19), "DE", Decimal(tax), Decimal(net))],
        "total": Decimal(net) + Decimal(tax),
        "off_debt": Decimal(net) + Decimal(tax),
        "text": "The order was changed.",
    }
    return ProcessorNote(**facts | more)


def test_note_is_sealed_once(invoice: Invoice) -> None:
    """I1: it says what the processor's says, moves no money here, and what is to be paid goes down."""
    moved = Transfer.objects.count()
    made = issue_processor_note(note=note_of(), at=AT)
    assert made is not None
    assert (made.subtotal, made.tax, made.total, made.reason) == (-2, Decimal("-0.38"), Decimal("-2.38"), "processor")
    assert made.taxes == [TAX | {"amount": "-0.38", "taxable": "-2.00"}]
    assert remaining_of(invoice.id) == Decimal("8.33")
    assert issue_processor_note(note=note_of(net="1.00"), at=AT) == made
    assert (Transfer.objects.count(), verify_document(made)) == (moved, [])


def test_note_without_the_invoice_s_document() -> None:
    """I1: there is nothing that it could correct yet."""
    assert issue_processor_note(note=note_of(), at=AT) is None
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"total": Decimal(3)}, DocumentDisagrees),
        ({"currency": "EUR"}, DocumentDisagrees),
        ({"net": "10.50"}, NotCreditable),
    ],
    ids=["sum", "currency", "more than the invoice"],
)
def test_note_that_cannot_be_documented(invoice: Invoice, more: dict[str, Any], error: type[Exception]) -> None:
    """I1: nothing is issued, and the reason is said."""
    with pytest.raises(error):
        issue_processor_note(note=note_of(**more), at=AT)
    assert not Invoice.objects.filter(kind="credit_note").exists()


def test_what_was_credited_here_before_counts(invoice: Invoice) -> None:
    """I1: notes of both together never come to more than the invoice, to the cent."""
    credit(invoice, "8.33")
    with pytest.raises(NotCreditable, match=r"2\.38 USD"):
        issue_processor_note(note=note_of(net="2.01"), at=AT)
    assert issue_processor_note(note=note_of(), at=AT) is not None


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"external_id": "cn_2", "reason": "goodwill"}, "invoice_processor_note"),
        ({"external_id": "", "reason": "processor"}, "invoice_processor_note"),
        ({"external_id": "cn_2", "reason": "processor", "as_credits": 1}, "invoice_processor_note"),
        ({"external_id": "cn_1", "reason": "processor"}, "invoice_external_once"),
    ],
    ids=["of staff", "without an id", "with credits", "twice"],
)
def test_only_the_processor_s_notes_bear_its_id(invoice: Invoice, columns: dict[str, Any], constraint: str) -> None:
    """I1: the database refuses any other, and a second document of one note."""
    made = issue_processor_note(note=note_of(), at=AT)
    assert made is not None
    following = {
        "id": uuid7(),
        "position": made.position + 1,
        "sequence": made.sequence + 1,
        "number": "CN-X",
        "previous_hash": made.content_hash,
        "content_hash": "f" * 64,
        "subtotal": 0,
        "tax": -1,
        "total": -1,
    }
    row = Invoice.objects.get(id=made.id)
    for name, value in (following | columns).items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row.save(force_insert=True)
