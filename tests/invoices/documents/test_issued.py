"""Documents that were really issued (I1)."""

import pytest
from pytest_django import Settings

from billing.invoices.documents.facts import DocumentFacts
from billing.invoices.documents.pdf import render_pdf
from billing.invoices.documents.reading import document_facts
from billing.invoices.models import Invoice
from billing.invoices.queries import lines_of
from billing.invoices.services.set_billing_details import set_billing_details
from tenants.services.record_audit import SYSTEM
from tests.invoices.make import ISSUED, make_document, make_line
from tests.make import make_customer


def read(document: Invoice) -> DocumentFacts:
    """As a request finds it."""
    found = Invoice.objects.get(id=document.id)
    return document_facts(found, lines_of(found))


@pytest.mark.usefixtures("catalogue")
def test_new_details_leave_issued_documents_as_they_are(settings: Settings) -> None:
    """I1: neither the customer's nor the seller's reach back; the next document bears them."""
    account = make_customer("pro", slug="acme").account

    def move(city: str) -> None:
        set_billing_details(account_id=account.id, changes={"city": city, "country": "DE"}, at=ISSUED, actor=SYSTEM)

    move("Berlin")
    settings.SELLER_NAME = "Quaestor Cloud GmbH"
    first = make_document(account, [make_line("5")])
    file = render_pdf(read(first))
    move("Hamburg")
    settings.SELLER_NAME = "Quaestor SE"
    second = make_document(account, [make_line("7")])
    assert render_pdf(read(first)) == file
    parties = [(facts.customer.address[0], facts.seller.name) for facts in map(read, (first, second))]
    assert parties == [("Berlin", "Quaestor Cloud GmbH"), ("Hamburg", "Quaestor SE")]
    assert read(second).seal == second.content_hash
