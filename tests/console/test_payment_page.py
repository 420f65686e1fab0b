"""Saved cards and invoices (I3, S3, S6)."""

from datetime import UTC, datetime

import pytest
from pytest_django.fixtures import Settings

from billing.console.pages.cards import CardRow, card_row
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.queries import MaskedCard
from sandbox.stripe.process import TEST_KEY
from tenants.permissions import Role
from tests.console.make import QueryCount, make_client
from tests.console.paying import make_agreement
from tests.make import AT, Customer


def test_without_stripe(customer: Customer) -> None:
    """S6: it says so, and the portal does; every other page works."""
    client = make_client(customer.tenant)
    assert "Card payments are not set up" in client.get("/billing/").text
    response = client.post("/billing/portal")
    assert response.status_code == 503
    assert "Stripe is not configured" in response.text


def test_before_the_first_payment(customer: Customer, settings: Settings) -> None:
    """S3: nothing to show, no portal to open."""
    settings.STRIPE_SECRET_KEY = TEST_KEY
    client = make_client(customer.tenant)
    text = client.get("/billing/").text
    assert "No payments yet" in text
    assert "billing portal" not in text
    response = client.post("/billing/portal")
    assert response.status_code == 409
    assert "Choose a paid plan or buy credits first." in response.text


@pytest.mark.usefixtures("stripe_away")
def test_page_works_while_stripe_is_away(customer: Customer) -> None:
    """S6: it reads the database alone; the portal says why it does not open."""
    StripeCustomer.objects.create(account=customer.account, customer_id="cus_1", created_at=AT)
    client = make_client(customer.tenant)
    assert "No saved card" in client.get("/billing/").text
    response = client.post("/billing/portal")
    assert response.status_code == 503
    assert "Stripe could not open the billing portal" in response.text
    back = client.get("/billing/portal/return", follow=True)
    assert "Your changes appear here as soon as it answers." in back.text


def test_back_from_the_portal_without_a_customer(customer: Customer) -> None:
    """S3: the address alone does nothing."""
    assert make_client(customer.tenant).get("/billing/portal/return")["Location"] == "/billing/"
    assert make_client(customer.tenant, Role.VIEWER).get("/billing/portal/return").status_code == 403


def test_overdue_payment_is_told_with_the_day(customer: Customer) -> None:
    """S8: on every page that speaks of money; who does not manage billing is told whom to ask."""
    make_agreement(customer, status="past_due")
    client, reader = make_client(customer.tenant), make_client(customer.tenant, Role.VIEWER)
    for path in ("/", "/plans/", "/billing/"):
        text = client.get(path).text
        assert "You keep Pro until 17 Mar 2026." in text, path
        assert "Update your card" in text
        assert "Ask somebody who manages billing." in reader.get(path).text


def test_end_of_a_cancelled_plan_is_told(customer: Customer) -> None:
    """P10: with the way back for who may take it."""
    make_agreement(customer, cancel_at=datetime(2026, 4, 10, 12, tzinfo=UTC))
    assert "Resume Pro" in make_client(customer.tenant).get("/").text
    reader = make_client(customer.tenant, Role.VIEWER).get("/plans/").text
    assert "Pro ends on 10 Apr 2026" in reader
    assert "Resume" not in reader


@pytest.mark.parametrize(
    ("month", "year", "state"), [(2, 2026, "expired"), (3, 2026, "soon"), (4, 2026, "soon"), (6, 2026, "ok")]
)
def test_card_lasts_to_the_end_of_its_month(month: int, year: int, state: str) -> None:
    """I3: brand, last four, expiry, default, and a hint in time."""
    row = card_row(MaskedCard("pm_1", "visa", "4242", month, year, is_default=True), AT)
    assert row == CardRow("Visa", "4242", f"{month:02}/26", is_default=True, state=state)


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, customer, two each for cards and invoices, agreement, frame."""
    client = make_client(customer.tenant)
    with django_assert_num_queries(9):
        client.get("/billing/")
