"""Nonsense sent to what moves money, with a Stripe behind it: refused or done, never a fault (F3)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.stripe.process import StripeSandbox
from tests.api.calls import call
from tests.api.endpoints import BACK, CHECKOUT, TOP_UP
from tests.api.paying import BILLING, at_stripes_time, subscribe_by_card
from tests.make import Customer, make_customer

_NUMBERS = st.integers() | st.integers(-3, 30_000) | st.floats(allow_nan=False, allow_infinity=False)
_WORDS = st.sampled_from(["", "pro", "team", "free", "enterprise", "monthly", "yearly", "byok", "standard", "main"])
_TEXTS = st.text(max_size=40) | _WORDS | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
_ADDRESSES = st.text(max_size=20).map(lambda tail: f"{BACK['success_url']}{tail}") | st.sampled_from(
    ["http://127.0.0.1:8000/?a={CHECKOUT_SESSION_ID}", "http://127.0.0.1:99999", "http://[::1", "ftp://127.0.0.1:8000"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS | _ADDRESSES | st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
_TERMS: dict[str, Any] = {"plan_slug": "team", "billing_interval": "monthly", "variant": "standard", "seats": 2}
TARGETS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", f"{BILLING}/checkout-session", CHECKOUT | {"seats": 1, "variant": "standard"}),
    ("POST", f"{BILLING}/portal", {"return_url": BACK["cancel_url"]}),
    ("POST", f"{BILLING}/byo-toggle", {"enabled": True}),
    ("POST", f"{BILLING}/subscription/preview", _TERMS),
    ("PATCH", f"{BILLING}/subscription", _TERMS | {"expected_net": "1", "proration_at": "2026-03-10T12:00:00Z"}),
    ("PATCH", f"{BILLING}/subscription", {"cancel_at_period_end": True}),
    ("POST", "/v1/billing/topups", TOP_UP | {"workspace": "main"}),
]


@pytest.fixture(params=["free", "pro"])
def customer(request: pytest.FixtureRequest, stripe_catalogue: StripeSandbox) -> Customer:
    """With a plan by card, and without."""
    customer = make_customer("free")
    if request.param == "pro":
        subscribe_by_card(stripe_catalogue, customer)
    return customer


@pytest.mark.parametrize(("method", "path", "valid"), TARGETS, ids=[f"{t[0]} {t[1]} {len(t[2])}" for t in TARGETS])
def test_nonsense(customer: Customer, stripe: StripeSandbox, method: str, path: str, valid: dict[str, Any]) -> None:
    """F3, S2: one or more fields replaced, removed or added."""

    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        changes=st.dictionaries(st.sampled_from([*valid, "x"]), _VALUES, max_size=2),
        left_out=st.sets(st.sampled_from(sorted(valid)), max_size=1),
        key=st.none() | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=8),
    )
    def play(changes: dict[str, Any], left_out: set[str], key: str | None) -> None:
        body = {name: value for name, value in (valid | changes).items() if name not in left_out}
        headers = {} if key is None else {"Idempotency-Key": key}
        response = call(method, path, customer.key, body, **headers)
        assert response.status_code < 500, (body, headers, response.content)
        kind = "application/json" if response.status_code < 300 else "application/problem+json"
        assert response.headers["Content-Type"] == kind

    with at_stripes_time(stripe):
        play()
