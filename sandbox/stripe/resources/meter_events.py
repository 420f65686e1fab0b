"""Usage told to billing meters, and what it adds up to (S7)."""

from decimal import Decimal, InvalidOperation

from sandbox.stripe.engine.metering import aggregate
from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

KIND = "billing.meter_event"
DAY = 86_400
OLDEST = 35 * DAY  # seconds before now
NEWEST = 5 * 60  # seconds after now
WINDOWS = {"hour": 3600, "day": DAY}
MINUTE = 60


@route("POST", "/v1/billing/meter_events")
def create(call: Call) -> Json:
    """Count a value; an identifier counts once in 24 hours. What is wrong is refused at once, not reported later."""
    state, wanted = call.state, call.parameters
    meter = _meter(state, wanted["event_name"])
    customer = _customer(state, meter, wanted["payload"])
    value = _value(meter, wanted["payload"])
    now = state.now(customer)
    identifier = wanted.get("identifier") or new_id("mtrid")
    _check_identifier(state, identifier)
    event = {
        "id": new_id("mtrevt"),
        "object": KIND,
        "_customer": customer["id"],
        "_meter": meter["id"],
        "_told": state.clock.now(),
        "_value": value,
        "created": now,
        "event_name": wanted["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": {key: str(text) for key, text in wanted["payload"].items()},
        "timestamp": _timestamp(wanted, now),
    }
    state.store.put(KIND, event)
    return {name: field for name, field in event.items() if name != "id"}


@route("GET", "/v1/billing/meters/{id}/event_summaries")
def summaries(call: Call) -> Json:
    """One sum for the whole time, or one for each hour or day that has events, the newest first."""
    state, wanted = call.state, call.parameters
    meter = state.store.get("billing.meter", call.arguments["id"])
    start, end = wanted["start_time"], wanted["end_time"]
    window = WINDOWS.get(wanted.get("value_grouping_window", ""))
    step = window or MINUTE
    if start % step or end % step or start >= end:
        raise invalid("start_time and end_time must be aligned with the boundaries of the window.", "start_time")
    periods = [(at, at + window) for at in range(start, end, window)] if window else [(start, end)]
    found = [_summary(state, meter, wanted["customer"], period) for period in reversed(periods)]
    shown = [summary for summary in found if summary["aggregated_value"]]
    return listed(call, shown, f"/v1/billing/meters/{meter['id']}/event_summaries")


def _summary(state: State, meter: Json, customer: str, period: tuple[int, int]) -> Json:
    start, end = period
    value = aggregate(state, meter, customer, start=start, end=end)
    return {
        "id": f"mtrusg_{meter['id'][-8:]}{start}",
        "object": "billing.meter_event_summary",
        "aggregated_value": int(value) if value == value.to_integral_value() else float(value),
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }


def _meter(state: State, event_name: str) -> Json:
    for meter in state.store.where("billing.meter", event_name=event_name, status="active"):
        return meter
    raise invalid(f"No active meter found for event name {event_name}.", "event_name", "resource_missing")


def _customer(state: State, meter: Json, payload: Json) -> Json:
    key = meter["customer_mapping"]["event_payload_key"]
    if key not in payload:
        raise invalid(f"The payload lacks the customer: {key}", f"payload[{key}]", "parameter_missing")
    customer = state.store.find("customer", str(payload[key]))
    if customer is None:
        raise missing("customer", str(payload[key]), f"payload[{key}]")
    return customer


def _value(meter: Json, payload: Json) -> str:
    """The counted number as text; a meter that counts events needs none."""
    key = meter["value_settings"]["event_payload_key"]
    if key not in payload and meter["default_aggregation"]["formula"] == "count":
        return "1"
    if key not in payload:
        raise invalid(f"The payload lacks the value: {key}", f"payload[{key}]", "parameter_missing")
    try:
        value = Decimal(str(payload[key]))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise invalid(f"The value is not a number: {payload[key]}", f"payload[{key}]", "parameter_invalid")
    return f"{value:f}"


def _check_identifier(state: State, identifier: str) -> None:
    for before in state.store.where(KIND, identifier=identifier):
        if state.clock.now() - before["_told"] < DAY:
            raise invalid(f"An event already exists with identifier {identifier}.", "identifier")


def _timestamp(wanted: Json, now: int) -> int:
    at = int(wanted.get("timestamp", now))
    if at < now - OLDEST:
        raise invalid("The timestamp must be within the past 35 calendar days.", "timestamp")
    if at > now + NEWEST:
        raise invalid("The timestamp must be no more than 5 minutes in the future.", "timestamp")
    return at
