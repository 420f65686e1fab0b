"""A customer with a card on a test clock of its own, and what tests do with it."""

from dataclasses import dataclass
from typing import Any

import stripe
from stripe import StripeClient

DAY = 86_400
START = 1_769_817_600  # 2026-01-31 00:00 UTC: a month later has fewer days


@dataclass
class World:
    client: StripeClient
    clock: str
    customer: str
    product: str

    def price(self, amount: int, interval: str = "month", **more: Any) -> str:
        """The id of a new price, in cents."""
        parameters: Any = {"product": self.product, "currency": "usd", "recurring": {"interval": interval}}
        return self.client.v1.prices.create(parameters | {"unit_amount": amount} | more).id

    def metered_price(self, **more: Any) -> str:
        """The id of a price for the meter of the event name "calls", half a cent each unless told otherwise."""
        found = self.client.v1.billing.meters.list({"status": "active"}).data
        formula: Any = {"formula": "sum"}
        meter = (found or [None])[0] or self.client.v1.billing.meters.create(
            {"display_name": "Calls", "event_name": "calls", "default_aggregation": formula}
        )
        parameters: Any = {"product": self.product, "currency": "usd", "unit_amount_decimal": "0.5"} | more
        if "tiers" in more:
            del parameters["unit_amount_decimal"]
        recurring: Any = {"interval": "month", "usage_type": "metered", "meter": meter.id}
        return self.client.v1.prices.create(parameters | {"recurring": recurring}).id

    def use(self, value: str, **more: Any) -> None:
        """Tell the meter "calls"."""
        payload = {"stripe_customer_id": self.customer, "value": value}
        self.client.v1.billing.meter_events.create({"event_name": "calls", "payload": payload, **more})

    def card(self, token: str, *, default: bool = True) -> str:
        """The id of another card of the customer's."""
        method = self.client.v1.payment_methods.attach(token, {"customer": self.customer}).id
        if default:
            settings: Any = {"default_payment_method": method}
            self.client.v1.customers.update(self.customer, {"invoice_settings": settings})
        return method

    def subscribe(self, *prices: str, **more: Any) -> stripe.Subscription:
        items: Any = [{"price": price} for price in prices]
        parameters: Any = {"customer": self.customer, "items": items, "expand": ["latest_invoice"]}
        return self.client.v1.subscriptions.create(parameters | more)

    def change(self, subscription: str, **more: Any) -> stripe.Subscription:
        parameters: Any = {"expand": ["latest_invoice"]}
        return self.client.v1.subscriptions.update(subscription, parameters | more)

    def subscription(self, subscription: str) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(subscription, {"expand": ["latest_invoice"]})

    def invoices(self) -> list[stripe.Invoice]:
        """The newest first."""
        return self.client.v1.invoices.list({"customer": self.customer}).data

    def balance(self) -> int:
        return self.client.v1.customers.retrieve(self.customer).balance or 0

    def advance(self, *, days: int) -> None:
        """To so many days after the start."""
        self.client.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": START + days * DAY})

    def events(self, *, of: str = "") -> list[str]:
        """The types of what was told, the oldest first."""
        found = [event.type for event in self.client.v1.events.list({"limit": 100}).data]
        return [name for name in reversed(found) if name.startswith(of)]


def make_world(client: StripeClient, card: str | None = "pm_card_visa") -> World:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START}).id
    customer = client.v1.customers.create({"email": "ada@example.com", "name": "Ada", "test_clock": clock}).id
    world = World(client, clock, customer, client.v1.products.create({"name": "Team"}).id)
    if card:
        world.card(card)
    return world


def item_of(subscription: stripe.Subscription) -> Any:
    return subscription["items"].data[0]


def amounts(invoice: Any) -> list[int]:
    return [line.amount for line in invoice.lines.data]
