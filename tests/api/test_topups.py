"""/v1/billing/topups."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from billing.credits.models import TopUp
from billing.credits.services.open_top_up import open_top_up
from sandbox.stripe.process import StripeSandbox
from tests.api.calls import call, field_codes, get, refusal
from tests.api.endpoints import BACK, TOP_UP
from tests.api.paying import send
from tests.make import AT, Customer, make_account, make_api_key, make_customer, make_workspace
from tests.stripe_sync.paying import VISA

PATH = "/v1/billing/topups"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


def test_fee_is_told_before_paying(stripe: StripeSandbox, customer: Customer) -> None:
    """M4: the fee stands beside the amount, and the page is where both are paid."""
    opened = send(stripe, customer, "POST", PATH, TOP_UP).json()
    top_up = TopUp.objects.get()
    assert opened == {
        "id": f"top_{top_up.id.hex}",
        "url": top_up.checkout.url,
        "amount": "20.00",
        "fee": "1.00",
        "total": "21.00",
        "currency": "USD",
    }
    seen = send(stripe, customer, "GET", f"{PATH}/{opened['id']}").json()
    assert (seen["state"], seen["url"], seen["credited_at"]) == ("open", opened["url"], None)


def test_paid_purchase_has_no_page(stripe: StripeSandbox, customer: Customer) -> None:
    """M4: once the page is paid nothing leads there any more."""
    opened = send(stripe, customer, "POST", PATH, TOP_UP).json()
    TopUp.objects.update(state=TopUp.State.CREDITED, credited_at=AT)
    seen = send(stripe, customer, "GET", f"{PATH}/{opened['id']}").json()
    assert (seen["state"], seen["url"], seen["credited_at"]) == ("credited", None, "2026-03-10T12:00:00Z")
    assert VISA not in str(seen)


def test_key_opens_one_purchase(stripe: StripeSandbox, customer: Customer) -> None:
    """F3, M4: the same key is the same purchase; with another amount it is a conflict."""
    key = {"Idempotency-Key": "a" * 200}
    first, again = (send(stripe, customer, "POST", PATH, TOP_UP | {"amount": text}, **key) for text in ("20", "20.00"))
    assert first.json() == again.json()
    assert TopUp.objects.count() == 1
    other = send(stripe, customer, "POST", PATH, TOP_UP | {"amount": "21"}, **key)
    assert refusal(other) == (409, "idempotency-conflict")


@pytest.mark.parametrize("amount", [b"20", b"20.0", b'"20"', b'"20.00"', b"2e1", b"20.000000000"])
def test_amounts(customer: Customer, amount: bytes) -> None:
    """M11: text and numbers alike, by their digits."""
    body = b'{"amount": %s, "success_url": "%s", "cancel_url": "%s"}' % (
        amount,
        BACK["success_url"].encode(),
        BACK["cancel_url"].encode(),
    )
    assert refusal(call("POST", PATH, customer.key, body)) == (503, "stripe-not-configured")
    assert not TopUp.objects.exists()


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (b"4.99", "out-of-range"),
        (b"0", "out-of-range"),
        (b"-20", "out-of-range"),
        (b"10000.01", "out-of-range"),
        (b"20.001", "too-many-decimals"),
        (b"20.00000000000000000001", "invalid"),
        (b"1e400000", "invalid"),
        (b"1e-400000", "invalid"),
        (b"9" * 4000, "invalid"),
        (b'"20,00"', "invalid"),
        (b'" 20"', "invalid"),
        (b'"2e1"', "invalid"),
        (b'"\xd9\xa2\xd9\xa0"', "invalid"),
        (b"true", "invalid"),
        (b"[20]", "invalid"),
        (b"{}", "invalid"),
        (b'""', "invalid"),
        (b"null", "null"),
    ],
)
def test_bad_amounts(customer: Customer, amount: bytes, code: str) -> None:
    """M4: named by the field, never a fault."""
    body = b'{"amount": %s, "success_url": "%s", "cancel_url": "%s"}' % (
        amount,
        BACK["success_url"].encode(),
        BACK["cancel_url"].encode(),
    )
    assert field_codes(call("POST", PATH, customer.key, body)) == {"amount": code}


def test_other_refusals(customer: Customer) -> None:
    """S2, F3: foreign addresses, foreign workspaces, unknown fields and bad keys."""
    foreign = call("POST", PATH, customer.key, TOP_UP | {"success_url": "https://evil.example"})
    assert refusal(foreign) == (400, "billing-return-url-not-allowed")
    stranger = make_customer()
    make_workspace(stranger.tenant, "theirs", account=stranger.account)
    for name in ("theirs", "nowhere", str(stranger.workspace.id)):
        assert refusal(call("POST", PATH, customer.key, TOP_UP | {"workspace": name})) == (404, "not-found")
    assert field_codes(call("POST", PATH, customer.key, TOP_UP | {"currency": "EUR"})) == {"currency": "unknown-field"}
    bad = call("POST", PATH, customer.key, TOP_UP, **{"Idempotency-Key": "a b"})
    assert field_codes(bad) == {"Idempotency-Key": "invalid"}
    assert field_codes(call("POST", f"{PATH}?workspace=main", customer.key, TOP_UP)) == {
        "workspace": "unknown-parameter"
    }


def test_which_account(stripe: StripeSandbox, customer: Customer) -> None:
    """P11: the workspace in the body says whose credits; a key of one workspace sees the purchases of its account."""
    other = make_account(customer.tenant, name="Test", is_default=False)
    bound = make_api_key(customer.tenant, workspace=make_workspace(customer.tenant, "test", account=other))
    default = send(stripe, customer, "POST", PATH, TOP_UP).json()["id"]
    test = send(stripe, customer, "POST", PATH, TOP_UP | {"workspace": "test"}).json()["id"]
    assert [row["id"] for row in get(PATH, bound).json()["results"]] == [test]
    assert [row["id"] for row in get(PATH, customer.key).json()["results"]] == [default]
    assert get(f"{PATH}/{test}", customer.key).status_code == get(f"{PATH}/{test}", bound).status_code == 200
    assert refusal(get(f"{PATH}/{default}", bound)) == (404, "not-found")


def test_list_pages(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """F3: the newest first, page by page, three queries each."""
    for number in range(3):
        at = AT + timedelta(minutes=number // 2)
        open_top_up(account_id=customer.account.credits_id, amount=Decimal(number + 5), fee=Decimal(0), at=at)
    with time_machine.travel(AT, tick=False), django_assert_num_queries(3):
        first = get(f"{PATH}?limit=2", customer.key).json()
    second = get(f"{PATH}?limit=2&cursor={first['next']}", customer.key).json()
    rows = first["results"] + second["results"]
    assert [row["amount"] for row in rows] == ["7.00", "6.00", "5.00"]
    assert {(row["url"], row["taken_back"], row["state"]) for row in rows} == {(None, "0.00", "open")}
    assert second["next"] is None
