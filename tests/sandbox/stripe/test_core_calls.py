"""What every call has in common: idempotency keys, lists, expansion, search, time and faults."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.errors import StripeError
from sandbox.stripe.process import StripeSandbox
from sandbox.stripe.search import parse


def fault(server: StripeSandbox, kind: str, **more: object) -> None:
    server.call("POST", "/_sandbox/faults", {"kind": kind, **more})


def test_a_key_executes_once_and_replays_the_answer(client: StripeClient) -> None:
    made = [client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"}) for _ in range(2)]
    assert made[0].id == made[1].id
    response = made[1].last_response
    assert response is not None
    assert response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.customers.list().data) == 1


def test_a_key_cannot_ask_for_something_else(client: StripeClient) -> None:
    client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "B"}, {"idempotency_key": "k"})


def test_a_refused_shape_does_not_use_the_key_up(client: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.create({"nome": "P"}, {"idempotency_key": "k"})
    assert client.v1.products.create({"name": "P"}, {"idempotency_key": "k"}).name == "P"


def test_a_decline_is_replayed(client: StripeClient) -> None:
    customer = client.v1.customers.create({})
    requests = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as decline:
            client.v1.payment_methods.attach(
                "pm_card_chargeDeclined", {"customer": customer.id}, {"idempotency_key": "k"}
            )
        requests.append(decline.value.headers)
    assert "Idempotent-Replayed" in requests[1]


def test_a_key_in_use_is_a_conflict(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """Two requests at once: one executes, the other waits for it or is told to come again."""

    def create(_: int) -> str:
        try:
            return client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"}).id
        except stripe.StripeError as error:
            return str(error.http_status)

    with ThreadPoolExecutor(8) as pool:
        outcomes = set(pool.map(create, range(8)))
    assert len(outcomes - {"409"}) == 1
    assert len(client.v1.customers.list().data) == 1


def test_lists_come_in_pages_newest_first(client: StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(number)}).id for number in range(5)]
    assert [customer.id for customer in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]
    page = client.v1.customers.list({"limit": 2, "ending_before": made[0]})
    assert ([customer.id for customer in page.data], page.has_more) == ([made[2], made[1]], True)
    assert client.v1.customers.list({"created": {"lt": 1}}).data == []


@pytest.mark.parametrize("parameters", [{"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}])
def test_a_senseless_page_is_refused(client: StripeClient, parameters: dict[str, object]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.list(parameters)


def test_expansion_replaces_ids_and_adds_what_is_left_out(client: StripeClient) -> None:
    product = client.v1.products.create(
        {"name": "P", "default_price_data": {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}}
    )
    price = client.v1.prices.list({"expand": ["data.product.default_price", "data.currency_options"]}).data[0]
    assert isinstance(price.product, stripe.Product)
    assert isinstance(price.product.default_price, stripe.Price)
    assert price.product.default_price.id == price.id == product.default_price
    assert price.currency_options is not None
    customer = client.v1.customers.create({"expand": ["sources", "subscriptions", "default_source", "tax"]})
    assert customer.sources is not None
    assert customer.sources.data == []


@pytest.mark.parametrize("path", ["nonsense", "currency", "product.nonsense", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(client: StripeClient, path: str) -> None:
    product = client.v1.products.create({"name": "P"})
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 5, "product": product.id})
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        client.v1.prices.retrieve(price.id, {"expand": [path]})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metadata['tenant']:'acme'", ["Ann", "Bob"]),
        ('metadata["tenant"]:"acme" AND name:"bob"', ["Bob"]),
        ("-metadata['tenant']:null", ["Ann", "Bob", "Cy"]),
        ("name~'an'", []),
        ("email~'ann@'", ["Ann"]),
        ("name:'Ann' OR name:'Dee'", ["Ann", "Dee"]),
        ("created>0 -name:'Ann' -name:'Bob'", ["Cy", "Dee"]),
    ],
)
def test_search_speaks_the_query_language(client: StripeClient, query: str, found: list[str]) -> None:
    for name, metadata in {"Ann": "acme", "Bob": "acme", "Cy": "other", "Dee": ""}.items():
        client.v1.customers.create(
            {"name": name, "email": f"{name.lower()}@x.test", "metadata": {"tenant": metadata} if metadata else {}}
        )
    if query == "name~'an'":
        with pytest.raises(stripe.InvalidRequestError, match="3 characters"):
            client.v1.customers.search({"query": query})
        return
    assert sorted(customer.name or "" for customer in client.v1.customers.search({"query": query}).data) == found


@pytest.mark.parametrize("query", ["", "name", "name:", "shoe:'x'", "name:'a' AND name:'b' OR name:'c'", "name>'x'"])
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(StripeError):
        parse(query, {"name"})


def test_search_comes_in_pages(client: StripeClient) -> None:
    for number in range(5):
        client.v1.customers.create({"name": f"Customer {number}"})
    found = client.v1.customers.search({"query": "name~'customer'", "limit": 2})
    assert len(list(found.auto_paging_iter())) == 5


def test_the_clock_only_moves_forward(client: StripeClient, stripe_server: StripeSandbox) -> None:
    before = stripe_server.call("GET", "/_sandbox/clock")["now"]
    moved = stripe_server.call("POST", "/_sandbox/clock", {"advance_seconds": 86_400})
    assert 86_400 <= moved["now"] - before <= 86_410
    assert client.v1.customers.create({}).created >= moved["now"]
    with pytest.raises(Exception, match="only move forward"):
        stripe_server.call("POST", "/_sandbox/clock", {"to": before})


def test_a_status_on_order_does_nothing_else(client: StripeClient, stripe_server: StripeSandbox) -> None:
    fault(stripe_server, "status", status=503, path="/v1/customers", times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failure:
            client.v1.customers.create({})
        assert failure.value.http_status == 503
    assert client.v1.customers.list().data == []


def test_a_limit_on_order_is_the_sdk_s_rate_limit(client: StripeClient, stripe_server: StripeSandbox) -> None:
    fault(stripe_server, "status", status=429, method="GET")
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.list()


def test_a_hang_up_does_nothing(client: StripeClient, stripe_server: StripeSandbox) -> None:
    fault(stripe_server, "timeout", method="POST")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({})
    assert client.v1.customers.list().data == []


def test_a_lost_answer_leaves_the_work_done(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """The key finds the answer that never arrived."""
    fault(stripe_server, "lost", method="POST")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    found = client.v1.customers.list().data
    assert len(found) == 1
    assert client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"}).id == found[0].id


def test_a_slow_call_holds_nobody_else_up(client: StripeClient, stripe_server: StripeSandbox) -> None:
    fault(stripe_server, "slow", seconds=1.0, method="POST")
    slow = threading.Thread(target=client.v1.customers.create, args=({},))
    slow.start()
    time.sleep(0.1)
    began = time.monotonic()
    assert client.v1.customers.list().data == []
    assert time.monotonic() - began < 0.5
    slow.join()
    assert len(client.v1.customers.list().data) == 1


def test_return_to_a_mark(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """Everything is as it was: objects, answers under their keys, the clock."""
    kept = client.v1.customers.create({"name": "A"})
    now = stripe_server.call("GET", "/_sandbox/clock")["offset"]
    stripe_server.call("POST", "/_sandbox/mark")
    for _ in range(2):
        gone = client.v1.customers.create({"name": "B"}, {"idempotency_key": "k"})
        stripe_server.call("POST", "/_sandbox/clock", {"advance_seconds": 86_400})
        stripe_server.call("POST", "/_sandbox/return")
        assert [one.id for one in client.v1.customers.list().data] == [kept.id]
        assert stripe_server.call("GET", "/_sandbox/clock")["offset"] == now
        assert client.v1.customers.create({"name": "B"}, {"idempotency_key": "k"}).id != gone.id
