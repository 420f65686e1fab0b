"""POST /_sandbox/checkout/{session}: what a person does on the hosted page, for tests without a browser."""

from sandbox.stripe.cards import card_by_number
from sandbox.stripe.checkout.completing import Buyer, complete
from sandbox.stripe.checkout.sessions import KIND
from sandbox.stripe.errors import invalid
from sandbox.stripe.pages.checkout import success_address
from sandbox.stripe.routing import Call, control
from sandbox.stripe.values import Json, public

NAME, EMAIL = "Sandbox Buyer", "buyer@example.com"


@control("POST", "/_sandbox/checkout/{session}")
def press(call: Call) -> Json:
    """{"card": number, "authenticate"?: bool, "email"?, "name"?} -> {"session", "redirect"}, or the card's 402."""
    given = call.parameters
    number = given.get("card")
    if not isinstance(number, str):
        raise invalid("card is the number of a test card.", "card")
    with call.state.transaction():
        session = call.state.store.get(KIND, call.arguments["session"], "session")
        if session["status"] != "complete":
            email, name = str(given.get("email", EMAIL)), str(given.get("name", NAME))
            buyer = Buyer(card_by_number(number), email, name, authenticated=given.get("authenticate") is True)
            session = complete(call.state, session["id"], buyer)
        return {"session": public(session), "redirect": success_address(session)}
