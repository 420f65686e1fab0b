"""Test clocks: customers who live in a time of their own. Advancing is done when the call answers."""

from sandbox.stripe.clock import TEST_CLOCK, move_test_clock
from sandbox.stripe.ids import new_id
from sandbox.stripe.internal import perform
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

URL = "/v1/test_helpers/test_clocks"
KEPT_FOR = 30 * 86_400  # seconds


@route("POST", "/v1/test_helpers/test_clocks")
def create(call: Call) -> Json:
    now = call.state.clock.now()
    clock: Json = {
        "id": new_id("clock"),
        "object": TEST_CLOCK,
        "created": now,
        "deletes_after": now + KEPT_FOR,
        "frozen_time": call.parameters["frozen_time"],
        "livemode": False,
        "name": call.parameters.get("name"),
        "status": "ready",
        "status_details": {},
    }
    call.state.store.put(TEST_CLOCK, clock)
    call.state.emit("test_helpers.test_clock.created", clock)
    return clock


@route("GET", "/v1/test_helpers/test_clocks/{test_clock}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(TEST_CLOCK, call.arguments["test_clock"], "test_clock")


@route("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance")
def advance(call: Call) -> Json:
    clock = retrieve(call)
    call.state.emit("test_helpers.test_clock.advancing", clock | {"status": "advancing"})
    move_test_clock(call.state, clock["id"], to=call.parameters["frozen_time"])
    clock = retrieve(call)
    call.state.emit("test_helpers.test_clock.ready", clock)
    return clock


@route("DELETE", "/v1/test_helpers/test_clocks/{test_clock}")
def delete(call: Call) -> Json:
    """Its customers go with it."""
    clock, store = retrieve(call), call.state.store
    for customer in store.where("customer", test_clock=clock["id"]):
        perform(call.state, "DELETE", "/v1/customers/{customer}", customer=customer["id"])
    store.delete(TEST_CLOCK, clock["id"])
    call.state.emit("test_helpers.test_clock.deleted", clock)
    return {"id": clock["id"], "object": TEST_CLOCK, "deleted": True}


@route("GET", "/v1/test_helpers/test_clocks")
def list_clocks(call: Call) -> Json:
    return listed(call, call.state.store.all(TEST_CLOCK), URL)
