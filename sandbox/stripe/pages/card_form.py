"""The card that a person typed: checked field by field, as a payment page does before it asks the bank."""

import re
from dataclasses import dataclass, replace
from dataclasses import field as member
from datetime import UTC, datetime

from sandbox.stripe.cards import Card, card_by_number
from sandbox.stripe.errors import StripeError
from sandbox.stripe.pages.fields import field
from sandbox.stripe.pages.rendering import Html, fill
from sandbox.stripe.values import Json

FIELDS_OF_CODES = {"incorrect_number": "number", "expired_card": "expiry", "incorrect_cvc": "cvc"}
EXPIRY = re.compile(r"(0?[1-9]|1[0-2]) ?/? ?(?:20)?([0-9]{2})")
KEPT = ("number", "expiry", "name", "email")  # shown again after an error; the security code is typed anew


@dataclass
class CardForm:
    """What was typed, the card that it means, and what is wrong by field ("" for the form as a whole)."""

    values: dict[str, str] = member(default_factory=dict)
    errors: dict[str, str] = member(default_factory=dict)
    card: Card | None = None

    def refuse(self, error: StripeError) -> None:
        """Show what the bank answered beside the field that it is about, or above the form."""
        self.errors[FIELDS_OF_CODES.get(error.code or "", "")] = error.message

    def inputs(self) -> Html:
        return fill(
            "card_fields.html",
            **{name: field(name, self.values, self.errors) for name in ("number", "expiry", "cvc", "name")},
        )


def read_card(parameters: Json, now: int) -> CardForm:
    """Check the four inputs; `card` is None when anything is wrong. `now` in unix seconds."""
    form = CardForm({name: str(parameters.get(name, "")).strip() for name in (*KEPT, "cvc")})
    values = form.values
    try:
        card = card_by_number(values["number"])
    except StripeError as error:
        form.errors["number"] = error.message if values["number"] else "Enter the card number."
        card = None
    month, year, problem = read_expiry(values["expiry"], now)
    if problem:
        form.errors["expiry"] = problem
    if not re.fullmatch(r"[0-9]{4}" if card and card.brand == "amex" else r"[0-9]{3}", values.pop("cvc")):
        form.errors["cvc"] = "Enter the security code from the card."
    if not values["name"]:
        form.errors["name"] = "Enter the name on the card."
    form.card = None if form.errors or card is None else replace(card, exp_month=month, exp_year=year)
    return form


def read_expiry(text: str, now: int) -> tuple[int, int, str | None]:
    """Month, year and what is wrong with "MM / YY"; a card is good until the end of its month (UTC)."""
    match = EXPIRY.fullmatch(text)
    if match is None:
        return 0, 0, "Enter the expiry date as MM / YY."
    today = datetime.fromtimestamp(now, UTC)
    month, year = int(match[1]), 2000 + int(match[2])
    return month, year, "This card has expired." if (year, month) < (today.year, today.month) else None
