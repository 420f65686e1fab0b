"""Disputes."""

from sandbox.stripe.engine.disputes import close_dispute
from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, control, route
from sandbox.stripe.values import Json, public

KIND = "dispute"
URL = "/v1/disputes"


@route("GET", "/v1/disputes/{dispute}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["dispute"], "dispute")


@route("POST", "/v1/disputes/{dispute}/close")
def close(call: Call) -> Json:
    """Accept it: the money is gone."""
    return close_dispute(call.state, retrieve(call), status="lost")


@route("GET", "/v1/disputes")
def list_disputes(call: Call) -> Json:
    names = ("charge", "payment_intent")
    filters = {name: call.parameters[name] for name in names if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


@control("POST", "/_sandbox/disputes/{dispute}")
def decide(call: Call) -> Json:
    """{"status": "won" | "lost"}: what the bank decides."""
    status = call.parameters.get("status")
    if status not in {"won", "lost"}:
        raise invalid("status is won or lost.", "status")
    with call.state.transaction():
        decided = close_dispute(call.state, retrieve(call), status=status)
    shown: Json = public(decided)
    return shown
