"""Setup intents: a card kept for later payments."""

from sandbox.stripe.cards import Behaviour
from sandbox.stripe.engine.methods import attach_method, card_of, method_to_charge
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

KIND = "setup_intent"
URL = "/v1/setup_intents"


@route("POST", "/v1/setup_intents")
def create(call: Call) -> Json:
    state, wanted = call.state, call.parameters
    if "customer" in wanted:
        state.store.get("customer", wanted["customer"], "customer")
    intent = _new(state, wanted)
    state.store.put(KIND, intent)
    state.emit("setup_intent.created", intent)
    return _confirm(state, intent, wanted.get("payment_method")) if wanted.get("confirm") else intent


@route("GET", "/v1/setup_intents/{intent}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["intent"], "intent")


@route("POST", "/v1/setup_intents/{intent}/confirm")
def confirm(call: Call) -> Json:
    intent = call.state.store.get(KIND, call.arguments["intent"], "intent")
    return _confirm(call.state, intent, call.parameters.get("payment_method") or intent["payment_method"])


@route("GET", "/v1/setup_intents")
def list_intents(call: Call) -> Json:
    names = ("customer", "payment_method")
    filters = {name: call.parameters[name] for name in names if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


def _confirm(state: State, intent: Json, payment_method: str | None) -> Json:
    """Keep the card for the customer; 402 for one that the bank refuses."""
    if intent["status"] not in {"requires_payment_method", "requires_confirmation"}:
        raise invalid(f"This SetupIntent has a status of {intent['status']}.", code="setup_intent_unexpected_state")
    method = method_to_charge(state, payment_method, intent["customer"])
    card = card_of(method)
    if card.behaviour is Behaviour.DECLINED:
        raise card.decline()
    if intent["customer"] and method["customer"] is None:
        method = attach_method(state, method, state.store.get("customer", intent["customer"]))
    method["_authenticated"] = True
    state.store.put("payment_method", method)
    intent |= {"payment_method": method["id"], "status": "succeeded"}
    state.store.put(KIND, intent)
    state.emit("setup_intent.succeeded", intent)
    return intent


def _new(state: State, wanted: Json) -> Json:
    intent_id = new_id("seti")
    customer = wanted.get("customer")
    return {
        "id": intent_id,
        "object": KIND,
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "created": state.now({"customer": customer}),
        "customer": customer,
        "customer_account": None,
        "description": wanted.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merged_metadata({}, wanted.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": wanted.get("payment_method"),
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_confirmation" if "payment_method" in wanted else "requires_payment_method",
        "usage": wanted.get("usage", "off_session"),
    }
