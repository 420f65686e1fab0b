"""Invoices: the list, one with its payment, and who may see and pay them (I1, I2)."""

from datetime import timedelta
from decimal import Decimal

from billing.invoices.models import InvoicePayment
from tenants.permissions import Role
from tests.api.calls import get
from tests.console.make import HTMX, QueryCount, make_calls, make_client
from tests.invoices.issued import credit, issue, pay
from tests.make import AT, Customer, make_account, make_customer


def test_before_the_first_invoice(customer: Customer) -> None:
    """I1: what is running stands there already, with what it comes to so far."""
    make_calls(customer, "gpt-4o", 3)
    page = make_client(customer.tenant).get("/invoices/")
    assert "No invoices yet" in page.text
    running = page.context["page"].running
    assert (running.usage, running.is_over) == (Decimal("0.013500000"), False)
    assert f"{running.period.end:%Y-%m-%d}" == "2026-04-10"


def test_another_account_has_invoices(customer: Customer) -> None:
    """I2: an account without any names those of the tenant that have some, and leads to their list."""
    client = make_client(customer.tenant)
    other = make_account(customer.tenant, name="Pilot", is_default=False)
    make_account(customer.tenant, name="Empty", is_default=False)
    issue(make_customer().account)
    assert client.get("/invoices/").context["page"].elsewhere == []
    invoice = issue(other)
    shown = client.get("/invoices/")
    assert shown.context["page"].elsewhere == [other]
    assert f'action="/switch/{other.id}"' in shown.text
    moved = client.post(f"/switch/{other.id}", {"to": "invoices"}, follow=True)
    assert (moved.redirect_chain, invoice.number in moved.text) == ([("/invoices/", 302)], True)


def test_list(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """I2: newest first with what is to be paid, credit notes below their invoice; as many queries for all."""
    client = make_client(customer.tenant)
    for day in range(30):
        pay(issue(customer.account, at=AT - timedelta(days=day + 1)))
    first = issue(customer.account)
    note = credit(first, "2.00")
    with django_assert_num_queries(19):
        shown = client.get("/invoices/")
    page = shown.context["page"]
    assert (page.to_pay.count, page.to_pay.amount, len(page.documents)) == (1, 9, 25)
    assert shown.text.index(first.number) < shown.text.index(note.number)
    more = client.get(page.next_url, headers=HTMX)
    assert (len(more.context["page"].documents), more.context["page"].next_url) == (6, "")
    assert "<html" not in more.text
    assert len(client.get("/invoices/?status=open").context["page"].documents) == 1
    for query in ("status=x", "before=x", "cursor=zzz", "page=-1"):
        assert client.get(f"/invoices/?{query}").status_code == 404


def test_every_payment_status_can_be_chosen(customer: Customer) -> None:
    """I2: those of the API, also where no chip offers them."""
    invoice = issue(customer.account)
    client = make_client(customer.tenant)
    for status in InvoicePayment.Status.values:
        empty = client.get(f"/invoices/?status={status}")
        assert len(empty.context["page"].documents) == (status == "open")
        assert [link.is_chosen for link in empty.context["page"].filters].count(True) == 1
    InvoicePayment.objects.filter(invoice=invoice).update(status="uncollectible")
    shown = client.get("/invoices/?status=uncollectible")
    assert [document.invoice for document in shown.context["page"].documents] == [invoice]


def test_nothing_due(customer: Customer) -> None:
    """I2: what a later invoice asks for is not paid yet, what credits cover was never due; the API calls both paid."""
    later = issue(customer.account, carried=Decimal(-9))
    covered = issue(customer.account, credits_applied=Decimal(9))
    client = make_client(customer.tenant)
    words = {later: ("Asked for later", "a later invoice asks for"), covered: ("Nothing due", "Nothing was due")}
    for invoice, said in words.items():
        shown = client.get(f"/invoices/{invoice.id}").text
        assert all(text in shown for text in said)
        assert get(f"/v1/billing/invoices/inv_{invoice.id.hex}", customer.key).json()["status"] == "paid"
    listed = client.get("/invoices/").text
    assert all(badge in listed for badge, _ in words.values())
    assert ">Paid</span>" not in listed


def test_document_and_its_payment(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """I2: the document says what is due, the payment beside it where it stands, and why it failed."""
    invoice = issue(customer.account)
    client, reader = make_client(customer.tenant), make_client(customer.tenant, Role.VIEWER)
    path = f"/invoices/{invoice.id}"
    with django_assert_num_queries(8):
        shown = client.get(path).text
    assert "due on receipt" in shown
    assert invoice.content_hash in shown
    assert "Pay now" in shown
    assert invoice.number in client.get("/").text
    assert "Somebody who manages billing can pay it." in reader.get(path).text
    InvoicePayment.objects.update(attempts=2, next_attempt_at=AT + timedelta(days=3))
    assert "the payment failed 2 times, the next try is on" in client.get(path).text
    pay(invoice)
    paid = client.get(path).text
    assert "paid on" in paid
    assert "Pay now" not in paid


def test_credit_note(customer: Customer) -> None:
    """I1: it says how it was settled, and leads to its invoice as that leads to it."""
    invoice = issue(customer.account)
    note = credit(invoice)
    client = make_client(customer.tenant)
    shown = client.get(f"/invoices/{note.id}").text
    assert "Came back as credits" in shown
    assert f"/invoices/{invoice.id}" in shown
    assert note.number in client.get(f"/invoices/{invoice.id}").text


def test_paying_is_asked_first(customer: Customer) -> None:
    """I2: what would be charged; where it cannot be, why, and what helps. Who only reads may not."""
    invoice = issue(customer.account)
    path = f"/invoices/{invoice.id}/pay"
    client = make_client(customer.tenant)
    asked = client.get(path)
    assert "Card payments are not set up on this installation." in asked.text
    assert "<html" not in client.get(path, headers=HTMX).text
    refused = client.post(path)
    assert refused.status_code == 503
    assert "Stripe is not configured" in refused.text
    reader = make_client(customer.tenant, Role.VIEWER)
    assert reader.get(path).status_code == reader.post(path).status_code == 403
    pay(invoice)
    assert client.get(path, follow=True).redirect_chain == [(f"/invoices/{invoice.id}", 302)]


def test_pdf(customer: Customer) -> None:
    """I2: the document as a file, by its number."""
    invoice = issue(customer.account)
    response = make_client(customer.tenant, Role.VIEWER).get(f"/invoices/{invoice.id}/pdf")
    assert response.content.startswith(b"%PDF-")
    assert response.headers["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_others_documents(customer: Customer) -> None:
    """F1: of another tenant, of another account than the one that is looked at, unknown: 404."""
    client = make_client(customer.tenant)
    other = make_account(customer.tenant, name="Test", is_default=False)
    for document in (issue(make_customer().account), issue(other)):
        for page in ("", "/pdf", "/pay"):
            assert client.get(f"/invoices/{document.id}{page}").status_code == 404
