"""Payment methods: cards, by test token or test number."""

from sandbox.stripe.cards import Behaviour, Card, card_by_number, card_by_token
from sandbox.stripe.engine.methods import attach_method, card_of, find_method, new_method
from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json, apply, changed, merged_metadata

KIND = "payment_method"
URL = "/v1/payment_methods"


@route("POST", "/v1/payment_methods")
def create(call: Call) -> Json:
    parameters = call.parameters
    if parameters.get("type") != "card" or "card" not in parameters:
        raise invalid("The sandbox has cards only: send type=card and card[token] or card[number].", "type")
    method = new_method(
        call.state,
        _card(parameters["card"]),
        billing_details=parameters.get("billing_details"),
        metadata=merged_metadata({}, parameters.get("metadata")),
    )
    if "exp_month" in parameters["card"]:
        method["card"] |= {name: parameters["card"][name] for name in ("exp_month", "exp_year")}
        call.state.store.put(KIND, method)
    return method


@route("GET", "/v1/payment_methods/{payment_method}")
def retrieve(call: Call) -> Json:
    return find_method(call.state, call.arguments["payment_method"])


@route("POST", "/v1/payment_methods/{payment_method}")
def update(call: Call) -> Json:
    state = call.state
    before = state.store.get(KIND, call.arguments["payment_method"], "payment_method")
    method = state.store.get(KIND, before["id"])
    apply(method, call.parameters, ("allow_redisplay",))
    apply(method["card"], call.parameters.get("card", {}), ("exp_month", "exp_year"))
    method["billing_details"] |= call.parameters.get("billing_details", {})
    method["metadata"] = merged_metadata(method["metadata"], call.parameters.get("metadata"))
    state.store.put(KIND, method)
    state.emit("payment_method.updated", method, changed(before, method))
    return method


@route("POST", "/v1/payment_methods/{payment_method}/attach")
def attach(call: Call) -> Json:
    """402 for a card that its bank refuses at once."""
    state = call.state
    if "customer" not in call.parameters:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.store.get("customer", call.parameters["customer"], "customer")
    method = find_method(state, call.arguments["payment_method"])
    if method["customer"] not in {None, customer["id"]}:
        raise invalid("The payment method you provided has already been attached to a customer.")
    if method.get("_detached"):
        raise invalid("This payment method was detached from its customer and cannot be used again; make a new one.")
    card = card_of(method)
    if card.behaviour is Behaviour.DECLINED:
        raise card.decline()
    return attach_method(state, method, customer)


@route("POST", "/v1/payment_methods/{payment_method}/detach")
def detach(call: Call) -> Json:
    """It can never be attached again; whatever it was the default of has none then."""
    state = call.state
    method = state.store.get(KIND, call.arguments["payment_method"], "payment_method")
    owner = method["customer"]
    if owner is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    method |= {"customer": None, "_detached": True}
    state.store.put(KIND, method)
    customer = state.store.get("customer", owner)
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        before = state.store.get("customer", owner)
        customer["invoice_settings"]["default_payment_method"] = None
        state.store.put("customer", customer)
        state.emit("customer.updated", customer, changed(before, customer))
    for subscription in state.store.where("subscription", customer=owner, default_payment_method=method["id"]):
        state.store.put("subscription", subscription | {"default_payment_method": None})
    state.emit("payment_method.detached", method, {"customer": owner})
    return method


@route("GET", "/v1/payment_methods")
def list_methods(call: Call) -> Json:
    if "customer" not in call.parameters:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    return _of_customer(call, call.parameters["customer"], URL)


@route("GET", "/v1/customers/{customer}/payment_methods")
def list_of_customer(call: Call) -> Json:
    customer = call.arguments["customer"]
    return _of_customer(call, customer, f"/v1/customers/{customer}/payment_methods")


@route("GET", "/v1/customers/{customer}/payment_methods/{payment_method}")
def retrieve_of_customer(call: Call) -> Json:
    method = call.state.store.get(KIND, call.arguments["payment_method"], "payment_method")
    if method["customer"] != call.arguments["customer"]:
        raise invalid("The payment method belongs to another customer.", "payment_method", "resource_missing")
    return method


def _of_customer(call: Call, customer: str, url: str) -> Json:
    call.state.store.get("customer", customer, "customer")
    filters = {name: call.parameters[name] for name in ("type", "allow_redisplay") if name in call.parameters}
    return listed(call, call.state.store.where(KIND, customer=customer, **filters), url)


def _card(given: Json) -> Card:
    if "token" in given:
        return card_by_token(given["token"])
    return card_by_number(given["number"])
