"""Billing meters: what usage is counted under which event name."""

from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

KIND = "billing.meter"
URL = "/v1/billing/meters"
DEFAULT_CUSTOMER_MAPPING = {"event_payload_key": "stripe_customer_id", "type": "by_id"}
DEFAULT_VALUE_SETTINGS = {"event_payload_key": "value"}


@route("POST", "/v1/billing/meters")
def create(call: Call) -> Json:
    state, parameters = call.state, call.parameters
    if state.store.where(KIND, event_name=parameters["event_name"], status="active"):
        raise invalid("There is already an active meter with this event name.", "event_name")
    now = state.now()
    meter: Json = {
        "id": new_id("mtr"),
        "object": KIND,
        "created": now,
        "customer_mapping": parameters.get("customer_mapping") or DEFAULT_CUSTOMER_MAPPING,
        "default_aggregation": parameters["default_aggregation"],
        "display_name": parameters["display_name"],
        "event_name": parameters["event_name"],
        "event_time_window": parameters.get("event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": parameters.get("value_settings") or DEFAULT_VALUE_SETTINGS,
    }
    state.store.put(KIND, meter)
    state.emit("billing.meter.created", meter)
    return meter


@route("GET", "/v1/billing/meters/{id}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["id"])


@route("POST", "/v1/billing/meters/{id}")
def update(call: Call) -> Json:
    meter = call.state.store.get(KIND, call.arguments["id"])
    previous = {"display_name": meter["display_name"]}
    meter |= {"display_name": call.parameters.get("display_name", meter["display_name"]), "updated": call.state.now()}
    call.state.store.put(KIND, meter)
    call.state.emit("billing.meter.updated", meter, previous)
    return meter


@route("POST", "/v1/billing/meters/{id}/deactivate")
def deactivate(call: Call) -> Json:
    return _switch(call, "active", "inactive")


@route("POST", "/v1/billing/meters/{id}/reactivate")
def reactivate(call: Call) -> Json:
    return _switch(call, "inactive", "active")


@route("GET", "/v1/billing/meters")
def list_meters(call: Call) -> Json:
    filters = {"status": call.parameters["status"]} if "status" in call.parameters else {}
    return listed(call, call.state.store.where(KIND, **filters), URL)


def _switch(call: Call, before: str, after: str) -> Json:
    state = call.state
    meter = state.store.get(KIND, call.arguments["id"])
    if meter["status"] != before:
        raise invalid(f"This meter is already {after}.")
    now = state.now()
    deactivated_at = now if after == "inactive" else None
    meter |= {"status": after, "status_transitions": {"deactivated_at": deactivated_at}, "updated": now}
    state.store.put(KIND, meter)
    state.emit(f"billing.meter.{'deactivated' if after == 'inactive' else 'reactivated'}", meter)
    return meter
