"""The pages after Checkout (S2)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from pytest_django.fixtures import Settings

from billing.stripe_sync.models import CheckoutSession
from sandbox.stripe.process import StripeSandbox
from tenants.permissions import Role
from tests.console.make import HTMX, QueryCount, make_client, make_member, signed_in
from tests.console.paying import make_agreement, make_plan_checkout, make_purchase
from tests.make import AT, Customer, make_customer


def test_paid_plan_is_named(customer: Customer) -> None:
    """S2: what was bought and when it renews; no more asking."""
    make_agreement(customer, "team", seats=2)
    text = (
        make_client(customer.tenant)
        .get(f"/billing/return/{make_plan_checkout(customer, 'team', state='complete', seats=2)}")
        .text
    )
    assert "Team is active" in text
    assert "for 2 seats" in text
    assert "It renews on 10 Apr 2026." in text
    assert "hx-trigger" not in text.split('id="checkout-outcome"')[1]


def test_credits_are_named_with_their_fee(customer: Customer) -> None:
    """M4: what came in and what was charged."""
    text = make_client(customer.tenant).get(f"/billing/return/{make_purchase(customer, state='credited')}").text
    assert "$50.00 of credits added" in text
    assert "charged $52.50" in text


@pytest.mark.usefixtures("stripe_away")
def test_page_asks_again_while_stripe_is_away(customer: Customer) -> None:
    """S6: nothing is lost, and it stops asking by itself in the end."""
    client, key = make_client(customer.tenant), make_plan_checkout(customer)
    response = client.get(f"/billing/return/{key}", headers=HTMX)
    assert response.status_code == 200
    assert "Stripe does not answer just now" in response.text
    assert f'hx-get="/billing/return/{key}?looks=1"' in response.text
    last = client.get(f"/billing/return/{key}?looks=40")
    assert "Look again" in last.text
    assert f"?looks={41}" not in last.text


def test_expired_page(customer: Customer) -> None:
    """S2: nothing was charged."""
    text = make_client(customer.tenant).get(f"/billing/return/{make_purchase(customer, state='expired')}").text
    assert "The payment page has expired" in text


def test_leaving_the_payment_page(customer: Customer, clock: time_machine.Traveller) -> None:
    """S2: nothing was charged, and the same page can be paid as long as it is open."""
    client, key = make_client(customer.tenant), make_plan_checkout(customer)
    text = client.get(f"/billing/return/{key}/cancelled").text
    assert "Nothing was charged" in text
    assert f'href="https://checkout.stripe.com/c/pay/{key}"' in text
    clock.move_to(AT + timedelta(days=2))
    assert "Try again" not in make_client(customer.tenant).get(f"/billing/return/{key}/cancelled").text


def test_page_of_another_is_not_found(customer: Customer) -> None:
    """F4: neither of another tenant, nor to who does not manage billing."""
    foreign = make_customer("free")
    key = make_plan_checkout(foreign)
    assert make_client(customer.tenant).get(f"/billing/return/{key}").status_code == 404
    assert make_client(customer.tenant).get(f"/billing/return/{uuid4()}/cancelled").status_code == 404
    assert make_client(foreign.tenant, Role.VIEWER).get(f"/billing/return/{key}").status_code == 403


def test_another_account_may_have_been_chosen_meanwhile(customer: Customer) -> None:
    """P11: in another tab; the page is the one that was paid."""
    other = make_customer("free", slug="zeta")
    user = make_member(customer.tenant)
    make_member(other.tenant, user=user)
    key = make_purchase(other, state="credited")
    assert "of credits added" in signed_in(user).get(f"/billing/return/{key}").text


def test_paid_before_any_webhook(stripe_catalogue: StripeSandbox, settings: Settings) -> None:
    """S4: the page reads Stripe itself."""
    settings.BILLING_RETURN_ORIGINS = ["http://testserver"]
    customer, key = make_customer("free"), str(uuid4())
    client = make_client(customer.tenant)
    client.post("/plans/change", {"plan": "pro", "terms": "monthly-standard", "seats": 1, "key": key})
    assert "Confirming your payment" in client.get(f"/billing/return/{UUID(key)}").text
    session = CheckoutSession.objects.get().session_id
    stripe_catalogue.call("POST", f"/_sandbox/checkout/{session}", {"card": "4242424242424242"})
    assert "Pro is active" in client.get(f"/billing/return/{UUID(key)}", headers=HTMX).text


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, Checkout, agreement, frame."""
    make_agreement(customer)
    client, key = make_client(customer.tenant), make_plan_checkout(customer, state="complete")
    with django_assert_num_queries(7):
        client.get(f"/billing/return/{key}")
