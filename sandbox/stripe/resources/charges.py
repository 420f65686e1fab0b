"""Charges."""

from sandbox.stripe.expansion import includable
from sandbox.stripe.listing import as_list, listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

KIND = "charge"
URL = "/v1/charges"
FILTERS = ("customer", "payment_intent", "transfer_group")


@route("GET", "/v1/charges/{charge}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["charge"], "charge")


@route("GET", "/v1/charges")
def list_charges(call: Call) -> Json:
    filters = {name: call.parameters[name] for name in FILTERS if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


@includable(KIND, "refunds")
def refunds(state: State, charge: Json) -> Json:
    return as_list(state.store.where("refund", charge=charge["id"]), f"{URL}/{charge['id']}/refunds")
