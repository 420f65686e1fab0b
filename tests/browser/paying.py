"""A shop with Stripe's stand-in behind it, and what a person does on the hosted payment page."""

from dataclasses import dataclass

from playwright.sync_api import Page, expect

from sandbox.stripe.process import StripeSandbox
from tests.browser.visitor import Visitor

GOOD, DECLINED = "4242424242424242", "4000000000000002"
SECURE, FAILS_LATER = "4000002500003155", "4000000000000341"
A_MONTH = 32 * 86_400  # seconds; longer than any


@dataclass
class Payer:
    """A tenant's owner on the free plan, with a card, at a console whose Stripe delivers webhooks."""

    visitor: Visitor
    stripe: StripeSandbox

    @property
    def page(self) -> Page:
        return self.visitor.page

    def open(self, path: str) -> None:
        """Go to a page of the console; it is accessible, and fits."""
        self.visitor.open(path)
        assert self.visitor.violations() == "", path
        assert self.visitor.overflow() == 0, path

    def pay(self, card: str, button: str) -> None:
        """Fill in the hosted page and press its button."""
        self.type_card(card)
        self.page.get_by_role("button", name=button).click()

    def type_card(self, number: str) -> None:
        for label, text in (("Card number", number), ("Expiry date", "1240")):
            self.page.get_by_label(label).fill("")
            self.page.get_by_label(label).press_sequentially(text)
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_label("Name on card").fill("Ada Lovelace")

    def expect_heading(self, text: str) -> None:
        expect(self.page.get_by_role("heading", name=text, exact=True)).to_be_visible()

    def let_time_pass(self, seconds: int) -> None:
        """At Stripe; its webhooks arrive before this returns."""
        self.stripe.call("POST", "/_sandbox/clock", {"advance_seconds": seconds})
        self.deliver()

    def deliver(self) -> None:
        """All that waits to be delivered."""
        self.stripe.call("POST", "/_sandbox/deliveries/flush")
