"""Pressing the button of a Checkout session: everything happens, or the card is refused and nothing did (S2)."""

from dataclasses import dataclass

from sandbox.stripe.cards import Behaviour, Card
from sandbox.stripe.checkout.sessions import KIND, customer_details
from sandbox.stripe.engine.methods import attach_method, new_method, remember_authentication
from sandbox.stripe.engine.payments import charge_once
from sandbox.stripe.engine.subscribing import start_subscription
from sandbox.stripe.errors import StripeError, card_error, invalid
from sandbox.stripe.internal import perform
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

FAILED_AUTHENTICATION = "The bank could not confirm that you hold this card. Try again, or use another card."


@dataclass(frozen=True)
class Buyer:
    """Who pays, with which card; `authenticated` after 3-D Secure."""

    card: Card
    email: str | None
    name: str | None
    authenticated: bool = False

    @property
    def must_authenticate(self) -> bool:
        return self.card.behaviour is Behaviour.NEEDS_AUTHENTICATION and not self.authenticated


def complete(state: State, session_id: str, buyer: Buyer) -> Json:
    """Pay and give the completed session.

    400 for a session that is not open; 402 for a refused card, and then the session is as it was before.
    """
    session = state.store.get(KIND, session_id, "session")
    if session["status"] != "open" or session["expires_at"] <= state.clock.now():
        raise invalid("This Checkout Session is no longer open.", "session", "checkout_session_not_open")
    if buyer.must_authenticate:
        raise card_error("authentication_required", FAILED_AUTHENTICATION, "authentication_required")
    try:
        with state.transaction():
            return _complete(state, session, buyer)
    except StripeError as error:
        error.keep = False
        raise


def _complete(state: State, session: Json, buyer: Buyer) -> Json:
    _know_customer(state, session, buyer)
    method = _save_card(state, session, buyer)
    {"payment": _pay, "subscription": _subscribe, "setup": _set_up}[session["mode"]](state, session, method, buyer)
    if session["amount_total"]:
        session["payment_status"] = "paid"
    session |= {"status": "complete", "url": None}
    state.store.put(KIND, session)
    state.emit("checkout.session.completed", session)
    return session


def _know_customer(state: State, session: Json, buyer: Buyer) -> None:
    known = session["customer_details"] or {}
    email = known.get("email") or buyer.email
    session["customer_details"] = customer_details(email, buyer.name or known.get("name"))
    if session["customer"] is None and session["customer_creation"] == "always":
        session["customer"] = perform(state, "POST", "/v1/customers", _given(email=email, name=buyer.name))["id"]
    elif session["customer"] and session["_customer_update"].get("name") == "auto" and buyer.name:
        perform(state, "POST", "/v1/customers/{customer}", {"name": buyer.name}, customer=session["customer"])


def _save_card(state: State, session: Json, buyer: Buyer) -> Json:
    """The payment method: the customer's from now on where it will be charged again."""
    if buyer.card.behaviour is Behaviour.DECLINED:
        raise buyer.card.decline()
    who = _given(email=session["customer_details"]["email"], name=buyer.name)
    method = new_method(state, buyer.card, billing_details=who)
    if buyer.authenticated:
        remember_authentication(state, method)
    if session["customer"] and (session["mode"] != "payment" or session["_data"].get("setup_future_usage")):
        return attach_method(state, method, state.store.get("customer", session["customer"]))
    return method


def _pay(state: State, session: Json, method: Json, buyer: Buyer) -> None:
    if not session["amount_total"]:
        return
    more = session["_data"]
    intent = charge_once(
        state,
        customer=session["customer"],
        amount=session["amount_total"],
        currency=session["currency"],
        payment_method=method["id"],
        description=more.get("description"),
        metadata=more.get("metadata") or {},
        authenticated=buyer.authenticated,
        receipt_email=more.get("receipt_email"),
        setup_future_usage=more.get("setup_future_usage"),
        transfer_group=more.get("transfer_group"),
    )
    session["payment_intent"] = intent["id"]


def _subscribe(state: State, session: Json, method: Json, buyer: Buyer) -> None:
    more = dict(session["_data"])
    items = [_given(price=item["price"]["id"], quantity=item["quantity"], _offered=True) for item in session["_items"]]
    recurring = [entry for entry, item in zip(items, session["_items"], strict=True) if item["price"]["recurring"]]
    subscription = start_subscription(
        state,
        customer=session["customer"],
        items=recurring,
        metadata=more.pop("metadata", {}),
        payment_method=method["id"],
        payment_behavior="error_if_incomplete",
        authenticated=buyer.authenticated,
        add_invoice_items=[entry for entry in items if entry not in recurring],
        **more,
    )
    session |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}


def _set_up(state: State, session: Json, method: Json, buyer: Buyer) -> None:
    more = session["_data"]
    parameters = _given(
        customer=session["customer"],
        payment_method=method["id"],
        description=more.get("description"),
        metadata=more.get("metadata"),
        usage="off_session",
        confirm=True,
    )
    session["setup_intent"] = perform(state, "POST", "/v1/setup_intents", parameters)["id"]


def _given(**values: object) -> Json:
    return {name: value for name, value in values.items() if value is not None}
