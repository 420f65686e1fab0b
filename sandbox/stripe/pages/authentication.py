"""The bank's page of 3-D Secure, between a card and what it is for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from sandbox.stripe.cards import Card, card_by_number
from sandbox.stripe.engine.invoicing import invoice_of_intent
from sandbox.stripe.engine.payments import finish_authentication
from sandbox.stripe.errors import StripeError, missing
from sandbox.stripe.ids import new_id
from sandbox.stripe.pages.rendering import document, fill, money, notice
from sandbox.stripe.pages.serving import redirect, text, visit
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

KIND = "_authentication"
PATH = "/3ds/{id}"


@dataclass(frozen=True)
class Waiting:
    """What waits for the card's holder: `subject` is the id of what is paid for, the amount in minor units."""

    purpose: str
    subject: str
    card: Card
    amount: int
    currency: str | None


class Continuation(Protocol):
    """Goes on once the bank has answered; `waiting` holds the card and what was kept with it."""

    def __call__(self, state: State, waiting: Json, *, passed: bool) -> Page: ...


CONTINUATIONS: dict[str, Continuation] = {}


def purpose(name: str) -> Callable[[Continuation], Continuation]:
    """Register what happens after authentication."""

    def register(function: Continuation) -> Continuation:
        CONTINUATIONS[name] = function
        return function

    return register


def ask_for_authentication(state: State, waiting: Waiting, **kept: object) -> Page:
    """Send the visitor to the bank; `kept` comes back with the answer."""
    record: Json = {
        "id": new_id("auth"),
        "purpose": waiting.purpose,
        "subject": waiting.subject,
        "number": waiting.card.number,
        "exp_month": waiting.card.exp_month,
        "exp_year": waiting.card.exp_year,
        "amount": waiting.amount,
        "currency": waiting.currency,
    }
    state.store.put(KIND, record | kept)
    return redirect(f"/3ds/{record['id']}")


@visit("GET", PATH)
def show(call: Call) -> Page:
    waiting = _waiting(call.state, call.arguments["id"])
    has_amount = waiting["amount"] and waiting["currency"]
    body = fill(
        "authenticate.html",
        merchant=PLATFORM_NAME,
        amount=money(waiting["amount"], waiting["currency"]) if has_amount else "Nothing is charged now",
        card=f"•••• {waiting['number'][-4:]}",
        action=f"/3ds/{waiting['id']}",
    )
    return document("3-D Secure", body)


@visit("POST", PATH)
def answer(call: Call) -> Page:
    """Complete or fail; the record serves once."""
    waiting = _waiting(call.state, call.arguments["id"])
    passed = text(call, "outcome") == "complete"
    if waiting["purpose"] == "payment_intent":
        return _finish_intent(call.state, waiting["id"], passed=passed)
    card = card_by_number(waiting["number"])
    card = replace(card, exp_month=waiting["exp_month"], exp_year=waiting["exp_year"])
    return CONTINUATIONS[waiting["purpose"]](call.state, waiting | {"card": card}, passed=passed)


def _waiting(state: State, waiting_id: str) -> Json:
    """What was kept, or a payment intent of the API that requires action."""
    if (record := state.store.find(KIND, waiting_id)) is not None:
        return record
    intent = state.store.find("payment_intent", waiting_id)
    if intent is None or intent["status"] != "requires_action":
        raise missing("page", waiting_id)
    method = state.store.find("payment_method", intent["payment_method"] or "") or {"card": {"last4": "····"}}
    return {
        "id": waiting_id,
        "purpose": "payment_intent",
        "amount": intent["amount"],
        "currency": intent["currency"],
        "number": method["card"]["last4"],
    }


def _finish_intent(state: State, intent_id: str, *, passed: bool) -> Page:
    invoice = invoice_of_intent(state, state.store.get("payment_intent", intent_id))
    try:
        finish_authentication(state, intent_id, passed=passed)
    except StripeError as error:
        if invoice:
            return redirect(f"/invoices/{invoice['id']}?failed=1")
        return notice("Not confirmed", error.message, status=error.status)
    if invoice:
        return redirect(f"/invoices/{invoice['id']}")
    return notice("Confirmed", "The payment is done. You can close this page.")
