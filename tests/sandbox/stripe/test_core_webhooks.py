"""Events reach endpoints signed, late, twice, shuffled or not at all, as the sandbox is told (S4)."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent and answers with `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[str, str]] = []  # body and signature
        super().__init__(("127.0.0.1", 0), Post)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.received]

    def emails(self) -> list[str]:
        return [json.loads(body)["data"]["object"]["email"] for body, _ in self.received]


class Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((body, self.headers["Stripe-Signature"]))
        self.send_response(self.server.status)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def endpoint(client: StripeClient, url: str, *types: str) -> stripe.WebhookEndpoint:
    return client.v1.webhook_endpoints.create({"url": url, "enabled_events": [*types] or ["*"]})


def mode(server: StripeSandbox, name: str, **more: float) -> None:
    server.call("POST", "/_sandbox/webhooks", {"mode": name, **more})


def customers(client: StripeClient, count: int) -> list[str]:
    emails = [f"{number}@example.test" for number in range(count)]
    for email in emails:
        client.v1.customers.create({"email": email})
    return emails


def test_an_event_arrives_signed_and_complete(client: StripeClient, receiver: Receiver) -> None:
    secret = endpoint(client, receiver.url).secret
    assert secret is not None
    customer = client.v1.customers.create({"email": "a@example.test"}, {"idempotency_key": "key-1"})
    wait_until(lambda: len(receiver.received) == 1)
    body, signature = receiver.received[0]
    event = client.construct_event(body, signature, secret)
    assert (event.type, event.api_version, event.data.object["id"]) == (
        "customer.created",
        stripe.api_version,
        customer.id,
    )
    assert json.loads(body)["request"]["idempotency_key"] == "key-1"
    wait_until(lambda: client.v1.events.retrieve(event.id).pending_webhooks == 0)


def test_the_secret_is_shown_once(client: StripeClient, receiver: Receiver) -> None:
    made = endpoint(client, receiver.url)
    assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id)


def test_only_what_was_asked_for_is_sent(client: StripeClient, receiver: Receiver) -> None:
    endpoint(client, receiver.url, "customer.deleted")
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    wait_until(lambda: receiver.types() == ["customer.deleted"])


def test_a_refused_delivery_is_tried_again(client: StripeClient, receiver: Receiver) -> None:
    receiver.status = 500
    endpoint(client, receiver.url)
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.received) == 1)
    receiver.status = 200
    wait_until(lambda: len(receiver.received) == 2)
    assert len({json.loads(body)["id"] for body, _ in receiver.received}) == 1


def test_held_deliveries_wait_for_the_flush(
    client: StripeClient, stripe_server: StripeSandbox, receiver: Receiver
) -> None:
    endpoint(client, receiver.url)
    mode(stripe_server, "held")
    customers(client, 3)
    waiting = stripe_server.call("GET", "/_sandbox/deliveries")["deliveries"]
    assert [(item["state"], item["tries"], item["event_type"]) for item in waiting] == [
        ("held", 0, "customer.created")
    ] * 3
    assert receiver.received == []
    assert stripe_server.call("POST", "/_sandbox/deliveries/flush") == {"sent": 3, "delivered": 3, "failed": 0}
    assert len(receiver.received) == 3


def test_a_held_delivery_can_be_posted_by_hand(client: StripeClient, stripe_server: StripeSandbox) -> None:
    secret = endpoint(client, "http://127.0.0.1:9/nobody").secret
    assert secret is not None
    mode(stripe_server, "held")
    client.v1.customers.create({})
    (held,) = stripe_server.call("GET", "/_sandbox/deliveries")["deliveries"]
    event = client.construct_event(held["body"], held["headers"]["Stripe-Signature"], secret)
    assert event.type == held["event_type"]


def test_twice_means_each_one_twice(client: StripeClient, stripe_server: StripeSandbox, receiver: Receiver) -> None:
    endpoint(client, receiver.url)
    mode(stripe_server, "twice")
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.received) == 2)
    assert receiver.received[0][0] == receiver.received[1][0]


def test_late_means_seconds_later(client: StripeClient, stripe_server: StripeSandbox, receiver: Receiver) -> None:
    endpoint(client, receiver.url)
    mode(stripe_server, "late", delay_seconds=0.4)
    began = time.monotonic()
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.received) == 1)
    assert time.monotonic() - began >= 0.4


def test_shuffled_events_lose_their_order(
    client: StripeClient, stripe_server: StripeSandbox, receiver: Receiver
) -> None:
    endpoint(client, receiver.url)
    mode(stripe_server, "shuffled", delay_seconds=30, seed=7)
    emails = customers(client, 8)
    stripe_server.call("POST", "/_sandbox/deliveries/flush")
    assert receiver.emails() != emails
    assert sorted(receiver.emails()) == emails


def test_some_are_dropped(client: StripeClient, stripe_server: StripeSandbox, receiver: Receiver) -> None:
    endpoint(client, receiver.url)
    mode(stripe_server, "drop", seed=1)
    emails = customers(client, 40)
    stripe_server.call("POST", "/_sandbox/deliveries/flush")
    states = [item["state"] for item in stripe_server.call("GET", "/_sandbox/deliveries")["deliveries"]]
    wait_until(lambda: len(receiver.received) == states.count("delivered"))
    assert 0 < states.count("dropped") < len(emails) / 2


def test_a_disabled_endpoint_gets_nothing(client: StripeClient, receiver: Receiver) -> None:
    made = endpoint(client, receiver.url)
    client.v1.webhook_endpoints.update(made.id, {"disabled": True})
    client.v1.customers.create({})
    client.v1.webhook_endpoints.update(made.id, {"disabled": False})
    client.v1.products.create({"name": "P"})
    wait_until(lambda: receiver.types() == ["product.created"])
    client.v1.webhook_endpoints.delete(made.id)
    assert client.v1.webhook_endpoints.list().data == []
