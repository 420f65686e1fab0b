"""POST …/billing/checkout-session and …/billing/portal."""

import pytest

from billing.stripe_sync.models import CheckoutSession
from sandbox.stripe.process import StripeSandbox
from tests.api.calls import call, field_codes, refusal
from tests.api.endpoints import BACK, CHECKOUT
from tests.api.paying import BILLING, send, subscribe_by_card
from tests.make import Customer, make_customer

CHECKOUT_PATH, PORTAL_PATH = f"{BILLING}/checkout-session", f"{BILLING}/portal"
RETURN = {"return_url": BACK["cancel_url"]}
FOREIGN = [
    "https://evil.example/",
    "http://127.0.0.1:8000@evil.example/",
    "http://127.0.0.1:8001/",
    "//127.0.0.1:8000/",
    "javascript:alert(1)",
    "http://127.0.0.1:8000\\@evil.example",
    "http://[",
    "x",
]


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer("free")


def test_checkout_opens_a_page(stripe_catalogue: StripeSandbox, customer: Customer) -> None:
    """S2: an id, and the address of a page at Stripe."""
    body = send(stripe_catalogue, customer, "POST", CHECKOUT_PATH, CHECKOUT | {"variant": "byok"}).json()
    row = CheckoutSession.objects.get()
    assert body == {"id": f"chk_{row.id.hex}", "url": row.url}
    assert row.plan_price is not None
    assert (row.plan_price.amount, row.plan_price.variant, row.seats) == (5, "byok", 1)


def test_key_opens_one_page(stripe_catalogue: StripeSandbox, customer: Customer) -> None:
    """F3: the same key is the same page, with another body it is a conflict; who has no key gets another one."""
    key = {"Idempotency-Key": "~first-1"}
    pages = [
        send(stripe_catalogue, customer, "POST", CHECKOUT_PATH, CHECKOUT, **headers).json()["id"]
        for headers in (key, key, {})
    ]
    assert pages[0] == pages[1] != pages[2]
    other = send(stripe_catalogue, customer, "POST", CHECKOUT_PATH, CHECKOUT | {"variant": "byok"}, **key)
    assert refusal(other) == (409, "idempotency-conflict")


@pytest.mark.parametrize("key", ["", "a b", "a" * 201, "é", "a\t"])
@pytest.mark.parametrize("path", ["workspaces/main/billing/checkout-session", "workspaces/main/billing/byo-toggle"])
def test_bad_keys(customer: Customer, path: str, key: str) -> None:
    """F3: a key is 1 to 200 visible characters, whatever it is for."""
    body = CHECKOUT if path.endswith("session") else {"enabled": True}
    response = call("POST", f"/v1/{path}", customer.key, body, **{"Idempotency-Key": key})
    assert field_codes(response) == {"Idempotency-Key": "invalid"}
    assert "UUID" in response.json()["remedy"]


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"plan_slug": "nope"}, (404, "not-found")),
        ({"plan_slug": "enterprise"}, (404, "not-found")),
        ({"plan_slug": "developer", "billing_interval": "yearly"}, (404, "not-found")),
        ({"billing_interval": "weekly"}, (404, "not-found")),
        ({"plan_slug": "free", "billing_interval": "weekly"}, (404, "not-found")),
        ({"plan_slug": "developer", "variant": "byok"}, (404, "not-found")),
        ({"plan_slug": "free"}, (409, "nothing-to-pay")),
        ({"seats": 2}, (400, "invalid-request")),
        *(({field: url}, (400, "billing-return-url-not-allowed")) for url in FOREIGN for field in BACK),
        ({}, (503, "stripe-not-configured")),
    ],
)
def test_order_of_refusals(customer: Customer, changes: dict[str, object], answer: tuple[int, str]) -> None:
    """S2, S6: what is wrong with the request is told first, then that there is no Stripe; nothing is written."""
    assert refusal(call("POST", CHECKOUT_PATH, customer.key, CHECKOUT | changes)) == answer
    assert not CheckoutSession.objects.exists()


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"plan_slug": 5, "x": 1}, {"plan_slug": "invalid", "x": "unknown-field"}),
        ({"plan_slug": "a\x00"}, {"plan_slug": "null-characters-not-allowed"}),
        ({"plan_slug": "a" * 64}, {"plan_slug": "max-length"}),
        ({"billing_interval": ["monthly"]}, {"billing_interval": "invalid"}),
        ({"billing_interval": 5}, {"billing_interval": "invalid"}),
        ({"billing_interval": "a" * 64}, {"billing_interval": "max-length"}),
        ({"billing_interval": None}, {"billing_interval": "null"}),
        ({"variant": "own"}, {"variant": "invalid-choice"}),
        ({"seats": 0}, {"seats": "min-value"}),
        ({"seats": "2"}, {"seats": "invalid"}),
        ({"seats": 1.5}, {"seats": "invalid"}),
        ({"seats": True}, {"seats": "invalid"}),
        ({"seats": 10**30}, {"seats": "max-value"}),
        ({"success_url": ""}, {"success_url": "blank"}),
        ({"cancel_url": {"a": 1}}, {"cancel_url": "invalid"}),
        ({"cancel_url": "http://127.0.0.1:8000/" + "x" * 2000}, {"cancel_url": "max-length"}),
    ],
)
def test_bad_bodies(customer: Customer, changes: dict[str, object], errors: dict[str, str]) -> None:
    """F3: each wrong field is named with a code."""
    assert field_codes(call("POST", CHECKOUT_PATH, customer.key, CHECKOUT | changes)) == errors


def test_required_fields(customer: Customer) -> None:
    """F3: all but seats and variant."""
    assert set(field_codes(call("POST", CHECKOUT_PATH, customer.key, {}))) == {"plan_slug", "billing_interval", *BACK}
    assert field_codes(call("POST", PORTAL_PATH, customer.key, {})) == {"return_url": "required"}


def test_second_plan_goes_by_a_change(stripe_catalogue: StripeSandbox, customer: Customer) -> None:
    """S2: who pays for a plan is told so, and can open the portal."""
    no_customer = send(stripe_catalogue, customer, "POST", PORTAL_PATH, RETURN)
    assert refusal(no_customer) == (409, "no-stripe-customer")
    subscribe_by_card(stripe_catalogue, customer)
    again = send(stripe_catalogue, customer, "POST", CHECKOUT_PATH, CHECKOUT)
    assert refusal(again) == (409, "subscription-exists")
    portal = send(stripe_catalogue, customer, "POST", PORTAL_PATH, RETURN)
    assert portal.status_code == 200
    assert list(portal.json()) == ["url"]
    assert portal.json()["url"].startswith(stripe_catalogue.url)


@pytest.mark.parametrize("url", FOREIGN)
def test_portal_returns_to_allowed_origins(customer: Customer, url: str) -> None:
    """S3, S6: the address is judged before anything is asked of Stripe."""
    response = call("POST", PORTAL_PATH, customer.key, {"return_url": url})
    assert refusal(response) == (400, "billing-return-url-not-allowed")
    assert refusal(call("POST", PORTAL_PATH, customer.key, RETURN)) == (503, "stripe-not-configured")


def test_stripe_that_does_not_answer(stripe_catalogue: StripeSandbox, customer: Customer) -> None:
    """S2: the caller is told to try again, and the same key then opens the page."""
    key = {"Idempotency-Key": "once"}
    fault = {"method": "POST", "path": "^/v1/checkout/sessions", "kind": "status", "status": 500, "times": 3}
    stripe_catalogue.call("POST", "/_sandbox/faults", fault)
    failed = send(stripe_catalogue, customer, "POST", CHECKOUT_PATH, CHECKOUT, **key)
    assert refusal(failed) == (503, "stripe-unavailable")
    assert int(failed.headers["Retry-After"]) > 0
    assert send(stripe_catalogue, customer, "POST", CHECKOUT_PATH, CHECKOUT, **key).status_code == 200
    assert CheckoutSession.objects.count() == 1
