"""Paying for a plan on Stripe's page."""

from datetime import timedelta
from typing import Any

import pytest

from billing.core.problems import Problem
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession, StripeCustomer, StripeMeter
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.queries import governing_agreement
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tests.make import AT, make_account, make_customer, make_tenant
from tests.stripe_sync.paying import BACK, stripe_now
from tests.stripe_sync.plans import (
    charged,
    customer_of,
    look,
    open_checkout,
    pay,
    plan_of,
    row_of,
    subscribed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(catalogue: None) -> BillingAccount:
    return make_customer("free").account


def refused(account: BillingAccount, **asked: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        open_checkout(account, **asked)
    return problem.value


def test_page_for_a_plan(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2, S7: card only; the plan by its quantity of seats, and every meter beside it."""
    opened = open_checkout(account, "team", variant="byok", seats=3)
    session = stripe_client().v1.checkout.sessions.retrieve(row_of(opened).session_id, {"expand": ["line_items"]})
    lines = session.line_items.data if session.line_items is not None else []
    keys = {line.price.lookup_key: line.quantity for line in lines if line.price is not None}
    assert keys.pop("quaestor:team:v1:monthly:byok") == 3
    assert len(keys) == StripeMeter.objects.count() > 0
    assert (session.payment_method_types, session.amount_total) == (["card"], 3 * 1900)
    assert (session.success_url, session.customer) == (BACK, customer_of(account.id))
    assert opened.url == session.url
    assert AuditEvent.objects.filter(action="checkout.opened").count() == 1


def test_paid_page_starts_the_plan(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2, S4: a fresh read of the page puts the account on what was paid; another read changes nothing."""
    opened = open_checkout(account, "team", interval="yearly", seats=2)
    subscription = pay(stripe_catalogue, opened)
    for _ in range(2):
        sync_checkout(session_id=row_of(opened).session_id, at=stripe_now(stripe_catalogue))
    agreement = governing_agreement(account.id)
    assert agreement is not None
    assert (agreement.external_id, agreement.status) == (subscription, "active")
    assert plan_of(account) == ("team", "yearly", "standard", 2)
    assert (agreement.period_end - agreement.period_start).days in {365, 366}
    assert row_of(opened).state == CheckoutSession.State.COMPLETE
    assert charged(account) == 2 * 29000
    items = stripe_client().v1.subscriptions.retrieve(subscription)["items"].data
    assert {item.price.recurring.usage_type for item in items} == {"licensed", "metered"}
    assert len(items) == 1 + StripeMeter.objects.count()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"plan": "no-such-plan"}, "not-found"),
        ({"plan": "developer", "interval": "yearly"}, "not-found"),
        ({"interval": "weekly"}, "not-found"),
        ({"plan": "free", "interval": "weekly"}, "not-found"),
        ({"plan": "developer", "variant": "byok"}, "not-found"),
        ({"plan": "enterprise"}, "not-found"),
        ({"plan": "free"}, "nothing-to-pay"),
        ({"plan": "platform-starter", "interval": "yearly"}, "nothing-to-pay"),
        ({"plan": "pro", "seats": 2}, "invalid-request"),
        ({"plan": "team", "seats": 0}, "invalid-request"),
        ({"plan": "team", "seats": 10_001}, "invalid-request"),
        ({"success_url": "https://elsewhere.example/"}, "billing-return-url-not-allowed"),
        ({"cancel_url": "javascript:alert(1)"}, "billing-return-url-not-allowed"),
        ({}, "stripe-not-configured"),
    ],
)
def test_what_cannot_be_paid(account: BillingAccount, asked: dict[str, Any], code: str) -> None:
    """P2, S2, S6: each has its own problem, and nothing is left behind; without a key all else still answers."""
    assert refused(account, **asked).code == code
    assert CheckoutSession.objects.count() == StripeCustomer.objects.count() == 0


def test_seats_problem_names_the_field(account: BillingAccount) -> None:
    """P2: what is wrong, where."""
    (error,) = refused(account, plan="pro", seats=2).errors
    assert (error.field, error.code) == ("seats", "invalid")
    assert "not sold by seats" in error.detail


def test_other_currency(account: BillingAccount) -> None:
    """P2: an account pays in its own currency."""
    BillingAccount.objects.filter(id=account.id).update(currency="EUR")
    assert refused(account).code == "invalid-request"


def test_live_subscription_is_not_bought_again(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2: who pays already changes the plan instead."""
    subscribed(account, stripe_catalogue)
    problem = refused(account, plan="team")
    assert problem.code == "subscription-exists"
    assert "portal" in str(problem.remedy)


def test_same_key_gives_the_same_page(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2: as long as it is open; another request under the key is a conflict."""
    first = open_checkout(account, idempotency_key="k")
    assert open_checkout(account, idempotency_key="k") == first
    assert refused(account, plan="team", idempotency_key="k").code == "idempotency-conflict"
    stripe_client().v1.checkout.sessions.expire(row_of(first).session_id)
    sync_checkout(session_id=row_of(first).session_id, at=AT)
    assert refused(account, idempotency_key="k").code == "idempotency-conflict"
    assert CheckoutSession.objects.get().state == CheckoutSession.State.EXPIRED


def test_same_request_without_a_key(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2: moments later it is the same page; then, or once that is closed, another one."""
    at = stripe_now(stripe_catalogue)
    first = open_checkout(account, at=at)
    assert open_checkout(account, at=at + timedelta(seconds=59)) == first
    second = open_checkout(account, at=at + timedelta(minutes=1))
    assert second != first
    stripe_client().v1.checkout.sessions.expire(row_of(second).session_id)
    third = open_checkout(account, at=at + timedelta(minutes=1, seconds=1))
    assert third.url not in {first.url, second.url}
    assert row_of(third).state == "open"


def test_key_of_a_paid_page(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2: nobody is asked to buy again what they have paid for, although its events are still on their way."""
    pay(stripe_catalogue, open_checkout(account, idempotency_key="k"))
    problem = refused(account, idempotency_key="k")
    assert (problem.code, problem.detail) == ("subscription-exists", "The account has paid for Pro already.")
    stripe_client().v1.subscriptions.cancel(Agreement.objects.get().external_id)
    look(account, stripe_catalogue)
    problem = refused(account, idempotency_key="k")
    assert problem.code == "idempotency-conflict"
    assert "has been paid" in problem.detail


def test_other_accounts_key_is_another(stripe_catalogue: StripeSandbox) -> None:
    """F3: keys are of an account."""
    one, other = (make_customer("free").account for _ in range(2))
    pages = {open_checkout(account, idempotency_key="k").url for account in (one, other)}
    assert len(pages) == 2


def test_newer_page_closes_the_older(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2: nobody can pay on two pages."""
    first, second = open_checkout(account), open_checkout(account, "team")
    sessions = [stripe_client().v1.checkout.sessions.retrieve(row_of(one).session_id) for one in (first, second)]
    assert [session.status for session in sessions] == ["expired", "open"]
    assert [row_of(one).state for one in (first, second)] == ["expired", "open"]


@pytest.mark.parametrize("kind", ["lost", "timeout"])
def test_lost_answer_is_asked_for_again(account: BillingAccount, stripe_catalogue: StripeSandbox, kind: str) -> None:
    """S2: whether Stripe opened the page or not, the same request later gives one page."""
    path = "^/v1/checkout/sessions$"
    stripe_catalogue.call("POST", "/_sandbox/faults", {"method": "POST", "path": path, "kind": kind, "times": 3})
    problem = refused(account, idempotency_key="k")
    assert (problem.code, problem.retry_after) == ("stripe-unavailable", 10)
    assert CheckoutSession.objects.get().state == CheckoutSession.State.OPENING
    opened = open_checkout(account, idempotency_key="k")
    sessions = stripe_client().v1.checkout.sessions.list({"customer": customer_of(account.id)}).data
    assert [session.id for session in sessions] == [row_of(opened).session_id]


def test_page_of_a_lost_answer_is_closed(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S2: a page that we never heard of is closed too when another one is opened."""
    path = "^/v1/checkout/sessions$"
    stripe_catalogue.call("POST", "/_sandbox/faults", {"method": "POST", "path": path, "kind": "lost", "times": 3})
    refused(account)
    opened = open_checkout(account, "team")
    sessions = stripe_client().v1.checkout.sessions.list({"customer": customer_of(account.id)}).data
    assert {session.id: session.status for session in sessions if session.status == "open"} == {
        row_of(opened).session_id: "open"
    }
    assert len(sessions) == 2


def test_paid_page_of_a_lost_answer_counts(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S4: what was paid on a page whose opening we never heard of is found by our id in it."""
    path = "^/v1/checkout/sessions$"
    stripe_catalogue.call("POST", "/_sandbox/faults", {"method": "POST", "path": path, "kind": "lost", "times": 3})
    refused(account)
    (session,) = stripe_client().v1.checkout.sessions.list({"customer": customer_of(account.id)}).data
    stripe_catalogue.call("POST", f"/_sandbox/checkout/{session.id}", {"card": "4242424242424242"})
    sync_checkout(session_id=session.id, at=stripe_now(stripe_catalogue))
    row = CheckoutSession.objects.get()
    assert (row.session_id, row.state) == (session.id, CheckoutSession.State.COMPLETE)
    assert plan_of(account)[0] == "pro"


@pytest.mark.parametrize("status", [429, 500])
def test_stripe_in_trouble(account: BillingAccount, stripe_catalogue: StripeSandbox, status: int) -> None:
    """S2: the tenant is told and can try again."""
    fault = {"path": "^/v1/", "kind": "status", "status": status, "times": 20}
    stripe_catalogue.call("POST", "/_sandbox/faults", fault)
    assert refused(account).code == "stripe-unavailable"
    stripe_catalogue.call("DELETE", "/_sandbox/faults")
    assert open_checkout(account).url


def test_customer_is_made_once(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S1: one that we forgot is adopted by our id in it; one that Stripe deleted is replaced."""
    first = ensure_customer(account_id=account.id, at=AT).customer_id
    StripeCustomer.objects.all().delete()
    assert ensure_customer(account_id=account.id, at=AT).customer_id == first
    stripe_client().v1.customers.delete(first)
    second = ensure_customer(account_id=account.id, at=AT).customer_id
    assert first != second == ensure_customer(account_id=account.id, at=AT).customer_id


def test_deleted_customer_ends_the_plan(account: BillingAccount, stripe_catalogue: StripeSandbox) -> None:
    """S4: Stripe cancels a deleted customer's subscriptions; a new Checkout makes a new customer."""
    subscribed(account, stripe_catalogue)
    stripe_client().v1.customers.delete(customer_of(account.id))
    look(account, stripe_catalogue)
    assert Agreement.objects.get().status == "canceled"
    assert plan_of(account)[0] == "free"
    subscribed(account, stripe_catalogue)
    assert plan_of(account)[0] == "pro"


def test_accounts_of_a_tenant_pay_apart(stripe_catalogue: StripeSandbox) -> None:
    """P11: a tenant's accounts are customers of their own."""
    tenant = make_tenant()
    one, other = make_account(tenant, "free"), make_account(tenant, "free", name="Test", is_default=False)
    subscribed(one, stripe_catalogue)
    assert (plan_of(one)[0], plan_of(other)[0]) == ("pro", "free")
    assert refused(other, plan="free").code == "nothing-to-pay"
