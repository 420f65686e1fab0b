"""Stripe's deliveries, handed to the product by the test instead of by the network."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client

from billing.stripe_sync.services.connect_webhooks import connect_webhooks
from sandbox.stripe.process import StripeSandbox

ORIGIN = "http://testserver"


@dataclass(frozen=True)
class Delivery:
    """An event on its way, signed when it was looked at."""

    type: str
    path: str
    headers: dict[str, str]
    body: str


def hold_webhooks(stripe: StripeSandbox) -> None:
    """Make the endpoints, and let the sandbox keep all that it would send."""
    stripe.call("POST", "/_sandbox/webhooks", {"mode": "held"})
    connect_webhooks(origin=ORIGIN)


def deliveries(stripe: StripeSandbox, *, type_: str = "") -> list[Delivery]:
    """What the sandbox holds, in the order in which it happened."""
    found = [_delivery(row) for row in stripe.call("GET", "/_sandbox/deliveries")["deliveries"]]
    return [delivery for delivery in found if type_ in {"", delivery.type}]


def deliver(client: Client, delivery: Delivery) -> HttpResponse:
    """Post it to the product."""
    headers = {name: value for name, value in delivery.headers.items() if name != "Content-Type"}
    response = client.post(delivery.path, delivery.body, content_type="application/json", headers=headers)
    assert isinstance(response, HttpResponse)
    return response


def _delivery(row: dict[str, Any]) -> Delivery:
    return Delivery(row["event_type"], urlsplit(row["url"]).path, row["headers"], row["body"])
