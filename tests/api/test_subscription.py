"""…/billing/subscription, its preview, and byo-toggle."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from billing.stripe_sync.client import stripe_client
from billing.subscriptions.services.subscribe import subscribe
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tests.api.calls import call, field_codes, get, refusal
from tests.api.paying import BILLING, at_stripes_time, send, subscribe_by_card
from tests.make import AT, Customer, make_customer
from tests.stripe_sync.plans import advance, charged, customer_of, look

PATH, PREVIEW, TOGGLE = f"{BILLING}/subscription", f"{BILLING}/subscription/preview", f"{BILLING}/byo-toggle"
TEAM = {"plan_slug": "team", "seats": 3}
LATER = AT + timedelta(seconds=1)
_NOTHING = dict.fromkeys(("credit", "charge", "pending", "tax", "net"), "0.00")
ZERO = _NOTHING | {"currency": "USD", "at": None}


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer("free")


@pytest.fixture
def payer(stripe_catalogue: StripeSandbox, customer: Customer) -> Customer:
    """On Pro by card, ten days into the period."""
    subscribe_by_card(stripe_catalogue, customer)
    advance(stripe_catalogue, 10)
    return customer


def seen(stripe: StripeSandbox, customer: Customer) -> dict[str, Any]:
    return dict(send(stripe, customer, "GET", PATH).json())


def test_free_plan(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P10: a plan that nobody pays for has the month of its allowances, and no Stripe is asked."""
    with django_assert_num_queries(6):
        response = get(PATH, customer.key)
    assert response.json() == {
        "plan_slug": "free",
        "plan_name": "Free",
        "version": 1,
        "billing_interval": "monthly",
        "variant": "standard",
        "seats": 1,
        "status": "active",
        "paid_by_card": False,
        "period": {"start": "2026-03-10T00:00:00Z", "end": "2026-04-10T00:00:00Z"},
        "cancel_at": None,
        "next_plan_slug": None,
        "price": {"interval": "monthly", "variant": "standard", "currency": "USD", "amount": "0.00", "per_seat": False},
        "past_due_since": None,
        "grace_ends_at": None,
    }


def test_paid_plan(payer: Customer, stripe: StripeSandbox) -> None:
    """P10: what is paid for by card, for which period."""
    body = seen(stripe, payer)
    start, end = (datetime.fromisoformat(body["period"][name]) for name in ("start", "end"))
    assert (body["plan_slug"], body["status"], body["paid_by_card"]) == ("pro", "active", True)
    assert body["price"]["amount"] == "9.00"
    assert (end - start).days in {28, 29, 30, 31}


def test_what_was_shown_is_charged(payer: Customer, stripe: StripeSandbox) -> None:
    """P10: the preview's net, handed back, is what the card is charged, minutes later too, and once."""
    shown = send(stripe, payer, "POST", PREVIEW, TEAM).json()
    proration = shown["proration"]
    net = Decimal(proration["net"])
    assert net == Decimal(proration["charge"]) - Decimal(proration["credit"]) > 0
    assert (shown["price"]["amount"], shown["price"]["per_seat"], shown["next_amount"]) == ("29.00", True, "87.00")
    before = charged(payer.account)
    advance(stripe, 1 / 288)
    change = TEAM | {"expected_net": proration["net"], "proration_at": proration["at"]}
    for _ in range(2):
        body = send(stripe, payer, "PATCH", PATH, change).json()
        assert (body["plan_slug"], body["seats"], body["price"]["amount"]) == ("team", 3, "29.00")
    assert Decimal(charged(payer.account) - before) / 100 == net
    audit = AuditEvent.objects.get(action="subscription.changed")
    assert audit.actor_key_id == payer.key.row.id


def test_other_price_than_expected(payer: Customer, stripe: StripeSandbox) -> None:
    """P10: a change that would cost anything else is refused, and nothing is charged."""
    shown = send(stripe, payer, "POST", PREVIEW, TEAM).json()["proration"]
    before = charged(payer.account)
    for wrong in (
        {"expected_net": "1.00"},
        {"expected_net": 0},
        {"expected_net": "1.00", "proration_at": shown["at"]},
        {"expected_net": shown["net"], "proration_at": "2020-01-01T00:00:00Z"},
    ):
        assert refusal(send(stripe, payer, "PATCH", PATH, TEAM | wrong)) == (409, "account-changed")
    assert charged(payer.account) == before
    assert seen(stripe, payer)["plan_slug"] == "pro"


def test_change_without_looking(payer: Customer, stripe: StripeSandbox) -> None:
    """P10: without an expected amount it costs what it costs now; again, there is nothing to change."""
    assert send(stripe, payer, "PATCH", PATH, TEAM).json()["plan_slug"] == "team"
    assert refusal(send(stripe, payer, "PATCH", PATH, TEAM)) == (409, "nothing-to-change")
    assert send(stripe, payer, "PATCH", PATH, {"seats": 2}).json()["seats"] == 2
    back = send(stripe, payer, "PATCH", PATH, {"plan_slug": "pro"}).json()
    assert (back["plan_slug"], back["seats"]) == ("pro", 1)


def test_cancel_and_resume(payer: Customer, stripe: StripeSandbox) -> None:
    """P10: the plan goes on until its period ends, then Free; until then it can be taken back."""
    ending = send(stripe, payer, "PATCH", PATH, {"cancel_at_period_end": True}).json()
    assert (ending["plan_slug"], ending["next_plan_slug"]) == ("pro", "free")
    assert ending["cancel_at"] == ending["period"]["end"]
    resumed = send(stripe, payer, "PATCH", PATH, {"cancel_at_period_end": False}).json()
    assert (resumed["cancel_at"], resumed["next_plan_slug"]) == (None, None)
    again = send(stripe, payer, "PATCH", PATH, {"cancel_at_period_end": False})
    assert refusal(again) == (409, "nothing-to-change")


def test_free_plan_follows_a_paid_one(payer: Customer, stripe: StripeSandbox) -> None:
    """P10: a free plan begins when the paid period ends, and costs nothing."""
    shown = send(stripe, payer, "POST", PREVIEW, {"plan_slug": "payg"}).json()
    assert shown["proration"] == ZERO
    ending = send(stripe, payer, "PATCH", PATH, {"plan_slug": "payg", "expected_net": "0"}).json()
    assert (ending["plan_slug"], ending["next_plan_slug"]) == ("pro", "payg")
    assert shown["next_at"] == ending["cancel_at"]
    advance(stripe, 31)
    with at_stripes_time(stripe):
        look(payer.account, stripe)
    assert seen(stripe, payer)["plan_slug"] == "payg"


def test_declined_card_changes_nothing(stripe_catalogue: StripeSandbox, customer: Customer) -> None:
    """P10: 402, and the plan is as it was."""
    subscribe_by_card(stripe_catalogue, customer)
    decline_from_now_on(customer)
    assert refusal(send(stripe_catalogue, customer, "PATCH", PATH, TEAM)) == (402, "card-declined")
    assert seen(stripe_catalogue, customer)["plan_slug"] == "pro"


def test_overdue(stripe_catalogue: StripeSandbox, customer: Customer) -> None:
    """S8: since when a payment is overdue, and when the grace is over; changes wait for the payment."""
    subscribe_by_card(stripe_catalogue, customer)
    decline_from_now_on(customer)
    advance(stripe_catalogue, 32)
    with at_stripes_time(stripe_catalogue):
        look(customer.account, stripe_catalogue)
    body = seen(stripe_catalogue, customer)
    assert (body["plan_slug"], body["status"]) == ("pro", "past_due")
    since, until = (datetime.fromisoformat(body[name]) for name in ("past_due_since", "grace_ends_at"))
    assert (until - since).days == 7
    assert refusal(send(stripe_catalogue, customer, "PATCH", PATH, TEAM)) == (402, "card-declined")


def decline_from_now_on(customer: Customer) -> None:
    client = stripe_client()
    owner = customer_of(customer.account.id)
    card = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": owner})
    for subscription in client.v1.subscriptions.list({"customer": owner}).data:
        client.v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"plan_slug": "nope"}, (404, "not-found")),
        ({"plan_slug": "enterprise"}, (404, "not-found")),
        ({"plan_slug": "free"}, (409, "nothing-to-change")),
        ({"plan_slug": "pro"}, (409, "no-subscription")),
        ({"plan_slug": "developer", "variant": "byok"}, (404, "not-found")),
        ({"plan_slug": "free", "seats": 2}, (400, "invalid-request")),
    ],
)
def test_refused_changes(customer: Customer, body: dict[str, object], answer: tuple[int, str]) -> None:
    """P10, S6: both the preview and the change say what is wrong, without any Stripe."""
    assert refusal(call("POST", PREVIEW, customer.key, body)) == answer
    assert refusal(call("PATCH", PATH, customer.key, body)) == answer


@pytest.mark.parametrize("cancel", [True, False])
def test_nothing_to_cancel(customer: Customer, cancel: bool) -> None:
    """P10: a free plan neither ends nor renews."""
    response = call("PATCH", PATH, customer.key, {"cancel_at_period_end": cancel})
    assert refusal(response) == (409, "no-subscription")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"body": "required"}),
        ({"plan_slug": None, "seats": 0}, {"plan_slug": "null", "seats": "min-value"}),
        ({"seats": 10**6}, {"seats": "max-value"}),
        ({"cancel_at_period_end": "true"}, {"cancel_at_period_end": "invalid"}),
        ({"cancel_at_period_end": 1}, {"cancel_at_period_end": "invalid"}),
        ({"cancel_at_period_end": None}, {"cancel_at_period_end": "null"}),
        ({"cancel_at_period_end": True, "seats": 2}, {"cancel_at_period_end": "not-with-others"}),
        ({"cancel_at_period_end": True, "expected_net": "0"}, {"cancel_at_period_end": "not-with-others",
                                                               "expected_net": "without-terms"}),
        ({"expected_net": "1.00"}, {"expected_net": "without-terms"}),
        ({"seats": 2, "expected_net": True}, {"expected_net": "invalid"}),
        ({"seats": 2, "proration_at": "2026-03-10T12:00:00Z"}, {"proration_at": "without-net"}),
        ({"seats": 2, "expected_net": 1, "proration_at": "2026-03-10"}, {"proration_at": "invalid"}),
        ({"seats": 2, "expected_net": 1, "proration_at": 5}, {"proration_at": "invalid"}),
        ({"seats": 2, "expected_net": 1, "proration_at": "9999-12-31T23:59:59-12:00"}, {"proration_at": "invalid"}),
    ],
)  # fmt: skip
def test_bad_changes(customer: Customer, body: dict[str, object], errors: dict[str, str]) -> None:
    """F3: each wrong field is named with a code."""
    assert field_codes(call("PATCH", PATH, customer.key, body)) == errors


def test_extreme_expectations(customer: Customer) -> None:
    """F3: the largest amount and the oldest instant are refused like any other wrong ones."""
    extremes = {"plan_slug": "payg", "expected_net": "-999999999999.999999999"}
    assert refusal(call("PATCH", PATH, customer.key, extremes)) == (409, "account-changed")


def test_preview_takes_terms_only(customer: Customer) -> None:
    """F3: what belongs to the change is no part of the preview."""
    body = {"plan_slug": "payg", "cancel_at_period_end": True}
    assert field_codes(call("POST", PREVIEW, customer.key, body)) == {"cancel_at_period_end": "unknown-field"}


def test_toggle_changes_the_price(payer: Customer, stripe: StripeSandbox) -> None:
    """K11: the byok price and back, prorated; what is switched already costs nothing."""
    own = send(stripe, payer, "POST", TOGGLE, {"enabled": True}).json()
    assert own["enabled"] is True
    assert own["price"] == {
        "interval": "monthly",
        "variant": "byok",
        "currency": "USD",
        "amount": "5.00",
        "per_seat": False,
    }
    assert Decimal(own["proration"]["net"]) < 0
    assert seen(stripe, payer)["variant"] == "byok"
    again = send(stripe, payer, "POST", TOGGLE, {"enabled": True}).json()
    assert (again["enabled"], again["proration"]) == (True, ZERO)
    back = send(stripe, payer, "POST", TOGGLE, {"enabled": False}).json()
    assert (back["enabled"], back["price"]["amount"]) == (False, "9.00")
    figures = {name: Decimal(back["proration"][name]) for name in ("credit", "charge", "pending", "net")}
    assert figures["net"] == 0  # what the first switch gave back is taken into account
    assert figures["pending"] == Decimal(own["proration"]["net"]) == figures["credit"] - figures["charge"]
    assert figures["charge"] <= 9


@pytest.mark.parametrize(("method", "path"), [("POST", PREVIEW), ("PATCH", PATH)])
def test_unknown_interval(customer: Customer, method: str, path: str) -> None:
    """P10: not found, like an unknown plan; what is no text is not valid."""
    assert refusal(call(method, path, customer.key, {"billing_interval": "weekly"})) == (404, "not-found")
    assert field_codes(call(method, path, customer.key, {"billing_interval": 5})) == {"billing_interval": "invalid"}


def test_toggle_sent_again(payer: Customer, stripe: StripeSandbox) -> None:
    """F3: the same key gets the first answer and switches nothing, even after the switch has been put back."""
    key = {"Idempotency-Key": "toggle-1"}
    first = send(stripe, payer, "POST", TOGGLE, {"enabled": True}, **key)
    assert send(stripe, payer, "POST", TOGGLE, {"enabled": True}, **key).content == first.content
    send(stripe, payer, "POST", TOGGLE, {"enabled": False})
    late = send(stripe, payer, "POST", TOGGLE, {"enabled": True}, **key)
    assert (late.content, late.headers["Content-Type"]) == (first.content, "application/json")
    assert seen(stripe, payer)["variant"] == "standard"
    other = send(stripe, payer, "POST", TOGGLE, {"enabled": False}, **key)
    assert refusal(other) == (409, "idempotency-conflict")


def test_toggle_that_failed_can_be_sent_again(payer: Customer, stripe: StripeSandbox) -> None:
    """F3: a refusal is not kept: the same key tries again."""
    key = {"Idempotency-Key": "toggle-1"}
    fault = {"method": "POST", "path": "^/v1/invoices/create_preview", "kind": "status", "status": 500, "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)
    failed = send(stripe, payer, "POST", TOGGLE, {"enabled": True}, **key)
    assert refusal(failed) == (503, "stripe-unavailable")
    assert send(stripe, payer, "POST", TOGGLE, {"enabled": True}, **key).json()["enabled"] is True


def test_toggle_of_what_staff_gave(customer: Customer) -> None:
    """K11, S6: a plan that is not paid by card is switched at once, for nothing, without any Stripe."""
    subscribe(account_id=customer.account.id, plan_slug="pro", at=LATER)
    with time_machine.travel(LATER + timedelta(hours=1), tick=False):
        body = call("POST", TOGGLE, customer.key, {"enabled": True}).json()
    assert (body["enabled"], body["price"]["amount"], body["proration"]) == (True, "5.00", ZERO)


@pytest.mark.parametrize(
    ("plan", "answer"),
    [
        ("developer", (402, "plan-without-byok")),
        ("platform-growth", (409, "nothing-to-change")),
    ],
)
def test_plan_without_a_switch(customer: Customer, plan: str, answer: tuple[int, str]) -> None:
    """K11: 402 where the plan has no such price."""
    subscribe(account_id=customer.account.id, plan_slug=plan, at=LATER)
    with time_machine.travel(LATER, tick=False):
        assert refusal(call("POST", TOGGLE, customer.key, {"enabled": True})) == answer


@pytest.mark.parametrize("enabled", ["true", 1, None, [], "on"])
def test_bad_toggles(customer: Customer, enabled: object) -> None:
    """F3: true or false, nothing that reads like it."""
    code = "null" if enabled is None else "invalid"
    assert field_codes(call("POST", TOGGLE, customer.key, {"enabled": enabled})) == {"enabled": code}


def test_paid_plan_without_stripe(payer: Customer, stripe: StripeSandbox, settings: Any) -> None:
    """S6: reading works, changing says that payments are not set up."""
    settings.STRIPE_SECRET_KEY = ""
    assert seen(stripe, payer)["plan_slug"] == "pro"
    for method, path, body in (
        ("PATCH", PATH, TEAM),
        ("PATCH", PATH, {"cancel_at_period_end": True}),
        ("POST", PREVIEW, TEAM),
        ("POST", TOGGLE, {"enabled": True}),
    ):
        assert refusal(send(stripe, payer, method, path, body)) == (503, "stripe-not-configured")
