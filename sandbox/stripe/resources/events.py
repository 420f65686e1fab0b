"""Events, as they were when they happened."""

from fnmatch import fnmatchcase

from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

KIND = "event"


@route("GET", "/v1/events")
def list_events(call: Call) -> Json:
    """The newest first; `type` may end in a wildcard, as in customer.*."""
    if "type" in call.parameters and "types" in call.parameters:
        raise invalid("You may only pass one of type and types.", "types")
    found = call.state.store.all(KIND)
    if wanted := call.parameters.get("types") or [call.parameters.get("type", "*")]:
        found = [event for event in found if any(fnmatchcase(event["type"], pattern) for pattern in wanted)]
    if "delivery_success" in call.parameters:
        found = [event for event in found if (event["pending_webhooks"] == 0) == call.parameters["delivery_success"]]
    if call.account is not None:
        found = [event for event in found if event.get("account") == call.account]
    return listed(call, found, "/v1/events")


@route("GET", "/v1/events/{id}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["id"])
