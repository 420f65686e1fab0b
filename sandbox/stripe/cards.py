"""The well-known test cards: what each number, token and ready-made payment method does."""

from dataclasses import dataclass
from enum import StrEnum

from sandbox.stripe.errors import StripeError, card_error, missing


class Behaviour(StrEnum):
    """What happens when the card is charged."""

    SUCCEEDS = "succeeds"
    DECLINED = "declined"  # refused on attaching and on charging
    DECLINED_LATER = "declined_later"  # can be attached, is refused when charged
    NEEDS_AUTHENTICATION = "needs_authentication"  # 3-D Secure on every charge
    DISPUTED = "disputed"  # the charge succeeds and is disputed as fraudulent


@dataclass(frozen=True)
class Card:
    number: str
    brand: str = "visa"
    behaviour: Behaviour = Behaviour.SUCCEEDS
    decline_code: str = "generic_decline"
    exp_month: int = 12
    exp_year: int = 2034
    country: str = "US"

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def code(self) -> str:
        """The error's code when it is declined."""
        return self.decline_code if self.decline_code in {"expired_card", "incorrect_cvc"} else "card_declined"

    def decline(self, *, keep: bool = False, **extra: object) -> StripeError:
        """The 402 of this card; `extra` joins the error's body."""
        return card_error(self.code, DECLINE_TEXTS[self.decline_code], self.decline_code, keep=keep, **extra)


DECLINE_TEXTS = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
}

CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("5555555555554444", brand="mastercard"),
        Card("378282246310005", brand="amex"),
        Card("4000000000000002", behaviour=Behaviour.DECLINED),
        Card("4000000000009995", behaviour=Behaviour.DECLINED, decline_code="insufficient_funds"),
        Card("4000000000000069", behaviour=Behaviour.DECLINED, decline_code="expired_card"),
        Card("4000002500003155", behaviour=Behaviour.NEEDS_AUTHENTICATION),
        Card("4000002760003184", behaviour=Behaviour.NEEDS_AUTHENTICATION),
        Card("4000000000000341", behaviour=Behaviour.DECLINED_LATER),
        Card("4000000000000259", behaviour=Behaviour.DISPUTED),
    )
}
TOKENS = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclined": "4000000000000002",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "chargeCustomerFail": "4000000000000341",
    "createDispute": "4000000000000259",
}


def card_by_number(number: str) -> Card:
    """The test card; 402 for a number that is none."""
    digits = number.replace(" ", "").replace("-", "")
    if digits in CARDS:
        return CARDS[digits]
    raise card_error("incorrect_number", "Your card number is incorrect. The sandbox takes Stripe's test cards only.")


def card_by_token(token: str) -> Card:
    """The card of tok_… or pm_card_…; 404 for any other."""
    name = token.removeprefix("pm_card_").removeprefix("tok_")
    if name == token or name not in TOKENS:
        raise missing("token", token, "card[token]")
    return CARDS[TOKENS[name]]


def is_ready_made(payment_method: str) -> bool:
    """Whether an id such as pm_card_visa stands for a card rather than for a stored payment method."""
    return payment_method.startswith("pm_card_")
