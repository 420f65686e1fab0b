"""Somebody who buys at the hosted pages, by plain HTTP."""

import http.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox

GOOD, DECLINED, NO_FUNDS = "4242424242424242", "4000000000000002", "4000000000009995"
SECURE, LATER, DISPUTED = "4000002500003155", "4000000000000341", "4000000000000259"
SUCCESS, CANCEL = "https://shop.example/done?s={CHECKOUT_SESSION_ID}", "https://shop.example/plans"


@dataclass
class Shop:
    client: StripeClient
    server: StripeSandbox
    customer: str

    def price(self, amount: int = 2000, **more: Any) -> str:
        product: Any = {"name": "Pro"}
        parameters: Any = {"product_data": product, "currency": "usd", "recurring": {"interval": "month"}}
        return self.client.v1.prices.create(parameters | {"unit_amount": amount} | more).id

    def session(self, **more: Any) -> stripe.checkout.Session:
        """A subscription of $20 a month, unless told otherwise."""
        parameters: Any = {"mode": "subscription", "customer": self.customer, "success_url": SUCCESS}
        if "line_items" not in more and more.get("mode") != "setup":
            parameters["line_items"] = [{"price": self.price(), "quantity": 1}]
        return self.client.v1.checkout.sessions.create(parameters | {"cancel_url": CANCEL} | more)

    def purchase(self, amount: int = 2500, **more: Any) -> stripe.checkout.Session:
        """A single payment."""
        data = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Credits"}}
        return self.session(mode="payment", line_items=[{"price_data": data, "quantity": 1}], **more)

    def again(self, session: stripe.checkout.Session) -> stripe.checkout.Session:
        return self.client.v1.checkout.sessions.retrieve(session.id)

    def events(self) -> list[str]:
        """The types of what was told, the oldest first."""
        return [event.type for event in reversed(self.client.v1.events.list({"limit": 100}).data)]

    def get(self, address: str) -> tuple[int, str]:
        """Status, and the page or where it leads."""
        return self._ask("GET", address)

    def post(self, address: str, **fields: str) -> tuple[int, str]:
        return self._ask("POST", address, urlencode(fields))

    def pay(self, address: str, number: str, **more: str) -> tuple[int, str]:
        """Fill the card form in and press the button."""
        fields = {"number": number, "expiry": "12 / 40", "cvc": "123", "name": "Ada Lovelace"}
        return self.post(address, **fields | more)

    def _ask(self, method: str, address: str, body: str = "") -> tuple[int, str]:
        parts = urlsplit(address)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request(method, f"{parts.path}?{parts.query}", body)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return answer.status, answer.headers.get("Location") or text


def make_shop(client: StripeClient, server: StripeSandbox) -> Shop:
    return Shop(client, server, client.v1.customers.create({"email": "ada@example.com"}).id)
