"""Refunds."""

from sandbox.stripe.engine.refunding import refund_charge
from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed, merged_metadata

KIND = "refund"
URL = "/v1/refunds"


@route("POST", "/v1/refunds")
def create(call: Call) -> Json:
    wanted = call.parameters
    return refund_charge(
        call.state,
        _charge(call.state, wanted),
        amount=wanted.get("amount"),
        reason=wanted.get("reason"),
        metadata=merged_metadata({}, wanted.get("metadata")),
    )


@route("GET", "/v1/refunds/{refund}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["refund"], "refund")


@route("POST", "/v1/refunds/{refund}")
def update(call: Call) -> Json:
    before = call.state.store.get(KIND, call.arguments["refund"], "refund")
    refund = before | {"metadata": merged_metadata(before["metadata"], call.parameters.get("metadata"))}
    if previous := changed(before, refund):
        call.state.store.put(KIND, refund)
        call.state.emit("refund.updated", refund, previous)
    return refund


@route("GET", "/v1/refunds")
def list_refunds(call: Call) -> Json:
    names = ("charge", "payment_intent")
    filters = {name: call.parameters[name] for name in names if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


def _charge(state: State, wanted: Json) -> Json:
    if ("charge" in wanted) == ("payment_intent" in wanted):
        raise invalid("You must provide exactly one of charge and payment_intent.", "charge", "parameter_missing")
    if "charge" in wanted:
        return state.store.get("charge", wanted["charge"], "charge")
    intent = state.store.get("payment_intent", wanted["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent")
    return state.store.get("charge", intent["latest_charge"])
