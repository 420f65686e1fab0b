"""POST /v1/usage/events: how many at once, and bodies that make no sense."""

import pytest

from billing.usage.models import UsageEvent
from tests.api.calls import call, refusal
from tests.make import Customer, make_customer
from tests.money_make import event, money_of

PATH = "/v1/usage/events"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10")


def test_a_thousand_events_and_not_one_more(customer: Customer) -> None:
    """U1: 1,001 are refused together and leave no trace; the same keys are then taken in two calls, in order."""
    sent = [event(f"e{number}") for number in range(1001)]
    assert refusal(call("POST", PATH, customer.key, {"events": sent})) == (400, "invalid-request")
    assert UsageEvent.objects.count() == 0
    results = call("POST", PATH, customer.key, {"events": sent[:1000]}).json()["results"]
    assert [(result["idempotency_key"], result["status"]) for result in results] == [
        (one["idempotency_key"], "accepted") for one in sent[:1000]
    ]
    last = call("POST", PATH, customer.key, {"events": sent[1:]}).json()["results"]
    assert [result["status"] for result in last] == ["duplicate"] * 999 + ["accepted"]
    assert (UsageEvent.objects.count(), money_of(customer.account)[0]) == (1001, "2.4925")


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"[]",
        b"null",
        b'{"events": []}',
        b'{"events": {}}',
        b'{"events": [1, NaN]}',
        b'{"events": [{"idempotency_key": "a"}], "more": 1}',
        pytest.param(b'{"events": [' + b"[" * 5000 + b"]" * 5000 + b"]}", id="deep"),
        b'{"events": ["\xff"]} ',
        b'{"events": [{}]',
    ],
)
def test_body_that_holds_no_list_of_events(customer: Customer, body: bytes) -> None:
    """F3: a clear answer, of the call or of its one event; nothing is recorded."""
    response = call("POST", PATH, customer.key, body)
    if response.status_code == 200:
        assert [result["status"] for result in response.json()["results"]] == ["rejected"]
    else:
        assert refusal(response) in {(400, "invalid-request"), (400, "invalid-json")}
    assert UsageEvent.objects.count() == 0
