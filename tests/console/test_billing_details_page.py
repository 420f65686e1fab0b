"""The page of billing details (F1, I1)."""

import pytest

from billing.invoices.models import BillingDetails
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.push_details import push_waiting_details
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tenants.permissions import Role
from tests.console.make import make_client, make_member, signed_in
from tests.make import AT, Customer, make_customer

ACME = {"name": "Acme Support GmbH", "line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"}
PAGE, SAVE = "/invoices/details", "/invoices/details/save"


@pytest.fixture
def acme(catalogue: None) -> Customer:
    return make_customer("pro", slug="acme")


def test_saved_details_are_on_the_next_invoice(acme: Customer) -> None:
    """I1: the page shows what the next invoice bears, before and after."""
    user = make_member(acme.tenant)
    client = signed_in(user)
    assert client.get(PAGE).context["page"].customer.name == "Acme"
    response = client.post(SAVE, ACME | {"tax_id": "de123456789"}, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "Saved. The next invoice is made out like this." in response.text
    party = response.context["page"].customer
    assert (party.name, party.address) == (ACME["name"], ("Torstraße 1", "10119 Berlin", "Germany"))
    assert ("Tax ID", "de123456789") in [(item.label, item.text) for item in party.ids]
    assert AuditEvent.objects.get(action="billing_details.changed").actor_user == user


def test_what_is_wrong_stays_in_the_form(acme: Customer) -> None:
    """I1: 422 with the reason at its field, and nothing is saved."""
    response = make_client(acme.tenant).post(SAVE, ACME | {"tax_id": "DE12"})
    assert response.status_code == 422
    assert response.context["page"].form.errors == {"tax_id": ["A VAT number of Germany looks like DE123456789."]}
    assert 'value="Torstraße 1"' in response.text
    for wrong in ({"country": "XX"}, {"name": "a" * 201}, {"name": "a\x00b"}):
        assert make_client(acme.tenant).post(SAVE, ACME | wrong).status_code == 422
    assert not BillingDetails.objects.exists()


def test_who_only_looks_sees_no_form(acme: Customer) -> None:
    """F1: members without billing.manage see what invoices bear."""
    client = make_client(acme.tenant, Role.VIEWER)
    page = client.get(PAGE)
    assert "On the next invoice" in page.text
    assert "<form method" not in page.text.split("<main", 1)[1]
    assert client.post(SAVE, ACME).status_code == 403
    assert make_client(acme.tenant).get(SAVE).headers["Location"] == PAGE


def test_what_the_card_processor_made_of_them(acme: Customer, stripe: StripeSandbox) -> None:
    """I1: that they are on their way, and that a tax id was refused, in words on the page."""
    ensure_customer(account_id=acme.account.id, at=AT)
    client = make_client(acme.tenant)
    saved = client.post(SAVE, ACME | {"country": "NO", "tax_id": "not one"}, follow=True)
    assert "On the way to the card processor" in saved.text
    assert push_waiting_details(at=AT) == 1
    page = client.get(PAGE)
    assert "The card processor does not take this tax ID" in page.text
    client.post(SAVE, ACME | {"country": "NO", "tax_id": ""})
    assert push_waiting_details(at=AT) == 1
    assert "card processor" not in client.get(PAGE).text.split("<main", 1)[1]
