"""What staff do with cycles and invoices (I1)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.invoices.models import BillingCycle, Invoice
from tenants.models import AuditEvent
from tests.invoices.issued import issue
from tests.make import make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
CONFIRMED = {"_form_submitted": "True"}


def button(row: BillingCycle | Invoice, action: str) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_{action}", args=[row.pk])


def said(staff: Client, url: str) -> list[str]:
    """What the page says after a button was pressed."""
    return [str(message) for message in staff.get(url).context["messages"]]


def test_cycle_is_closed_at_once(staff: Client) -> None:
    """I1: a cycle that is over closes by a button, once, and the audit log names who pressed it."""
    account = make_customer(at=now() - timedelta(days=40)).account
    cycle = BillingCycle.objects.create(
        account=account,
        starts_at=now() - timedelta(days=40),
        ends_at=now() - timedelta(days=9),
        due_at=now() + timedelta(hours=6),
        tries=3,
        error="OperationalError: no connection",
        seen_version=account.version,
    )
    page = button(cycle, "change")
    assert button(cycle, "close") in staff.get(page).text
    assert staff.get(button(cycle, "close")).status_code == 200
    assert staff.post(button(cycle, "close"), CONFIRMED)["HX-Redirect"] == page
    cycle.refresh_from_db()
    assert (cycle.state, cycle.tries, cycle.error) == ("closed", 0, "")
    assert said(staff, page) == ["The cycle is closed."]
    assert AuditEvent.objects.filter(action="billing_cycle.closed", actor_user__email="root@example.com").count() == 1
    following = BillingCycle.objects.get(state="open")
    for other in (cycle, following):
        assert button(other, "close") not in staff.get(button(other, "change")).text


def test_a_document_in_words(staff: Client) -> None:
    """F2, I1: amounts with their currency, parties and taxes in lines, as a bookkeeper reads them."""
    tax = {"name": "VAT", "percent": "19", "country": "DE", "amount": "1.71", "taxable": "9.00"}
    invoice = issue(make_customer().account, taxes=[tax])
    shown = staff.get(button(invoice, "change")).text
    for text in (
        "10.71 USD",
        "9.00 USD",
        "VAT 19% (Germany) on $9.00: 1.71 USD",
        "9.000000000 USD",
        "Account: Default",
    ):
        assert text in shown
    for raw in ("10.710000000", "postal_code", "Off debt", "As credits", "next invoice"):
        assert raw not in shown
    assert "10.71 USD" in staff.get(reverse("admin:billing_invoices_invoice_changelist")).text


def test_seal_is_checked(staff: Client) -> None:
    """I1: the button says that a document is as it was issued."""
    invoice = issue(make_customer().account)
    assert staff.post(button(invoice, "check_seal"), CONFIRMED)["HX-Redirect"] == button(invoice, "change")
    assert said(staff, button(invoice, "change")) == [f"{invoice.number} is as it was issued."]


def test_credit_note_is_issued_once(staff: Client) -> None:
    """I1: for an amount within the invoice, with a reason; the same form sent twice credits once."""
    invoice = issue(make_customer().account)
    assert "9.00 USD can be credited" in staff.get(button(invoice, "credit_note")).text
    form = CONFIRMED | {"amount": "2.50", "note": "Outage on 3 March", "notes": "0"}
    assert "9.00 USD of" in staff.post(button(invoice, "credit_note"), form | {"amount": "9.01"}).text
    response = staff.post(button(invoice, "credit_note"), form)
    note = Invoice.objects.get(kind="credit_note")
    assert response["HX-Redirect"] == button(note, "change")
    assert "A credit note was issued meanwhile" in staff.post(button(invoice, "credit_note"), form).text
    assert Invoice.objects.filter(kind="credit_note").count() == 1
    assert AuditEvent.objects.get(action="credit_note.issued").detail["note"] == "Outage on 3 March"
    assert note.number in staff.get(button(invoice, "change")).text
    assert button(note, "credit_note") not in staff.get(button(note, "change")).text
