"""What a person or a test may do to the sandbox itself, under /_sandbox/: JSON, no key."""

import time
from datetime import UTC, datetime

from sandbox.stripe.clock import DUE
from sandbox.stripe.errors import invalid
from sandbox.stripe.events import MODES, set_webhook_mode, webhook_mode
from sandbox.stripe.routing import Call, control
from sandbox.stripe.specification import API_VERSION
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

LONGEST_JUMP = 10 * 366 * 86_400  # seconds


@control("GET", "/_sandbox/health")
def health(call: Call) -> Json:
    return {"status": "ok", "api_version": API_VERSION, "due_functions": len(DUE)}


@control("GET", "/_sandbox/clock")
def read_clock(call: Call) -> Json:
    with call.state.transaction():
        return clock_facts(call.state)


@control("POST", "/_sandbox/clock")
def move_clock(call: Call) -> Json:
    """{"advance_seconds": n} or {"to": unix seconds}; everything due by then is done when this answers."""
    with call.state.transaction():
        now = call.state.clock.target()
        to = _number(call.parameters, "to") if "to" in call.parameters else None
        target = now + _number(call.parameters, "advance_seconds") if to is None else to
        if target - now > LONGEST_JUMP:
            raise invalid("The clock moves at most ten years at once.", "to")
        call.state.clock.move(call.state, to=target)
        return clock_facts(call.state)


def clock_facts(state: State) -> Json:
    now, offset = state.clock.now(), state.clock.offset
    iso = datetime.fromtimestamp(now, UTC).isoformat()
    return {"now": now, "iso": iso, "offset": offset, "precise": time.time() + offset}


@control("GET", "/_sandbox/webhooks")
def read_mode(call: Call) -> Json:
    with call.state.transaction():
        return webhook_mode(call.state.store)


@control("POST", "/_sandbox/webhooks")
def choose_mode(call: Call) -> Json:
    mode = call.parameters.get("mode")
    if mode not in MODES:
        raise invalid(f"mode is one of {', '.join(MODES)}.", "mode")
    delay = call.parameters.get("delay_seconds")
    if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int | float)):
        raise invalid("delay_seconds must be a number.", "delay_seconds")
    with call.state.transaction():
        seed = _number(call.parameters, "seed", default=0)
        chosen = set_webhook_mode(
            call.state.store, str(mode), delay_seconds=None if delay is None else float(delay), seed=seed
        )
    call.state.courier.wake()
    return chosen


@control("GET", "/_sandbox/deliveries")
def deliveries(call: Call) -> Json:
    return {
        "deliveries": [
            {
                "id": delivery.id,
                "endpoint": delivery.endpoint["id"],
                "url": delivery.endpoint["url"],
                "headers": delivery.headers(),
                "body": delivery.body,
                "event_type": delivery.event["type"],
                "tries": delivery.tries,
                "state": delivery.state,
            }
            for delivery in call.state.courier.deliveries()
        ]
    }


@control("POST", "/_sandbox/deliveries/flush")
def flush(call: Call) -> Json:
    return call.state.courier.flush()


@control("POST", "/_sandbox/faults")
def order_fault(call: Call) -> Json:
    call.state.faults.order(call.parameters)
    return {"ordered": True}


@control("DELETE", "/_sandbox/faults")
def clear_faults(call: Call) -> Json:
    call.state.faults.clear()
    return {"cleared": True}


@control("POST", "/_sandbox/reset")
def reset(call: Call) -> Json:
    call.state.reset()
    return {"reset": True}


@control("POST", "/_sandbox/mark")
def mark(call: Call) -> Json:
    """Remember everything as it is; one mark at a time."""
    call.state.mark()
    return {"marked": True}


@control("POST", "/_sandbox/return")
def return_to_mark(call: Call) -> Json:
    """Everything as it was at the mark."""
    if not call.state.return_to_mark():
        raise invalid("There is no mark to return to.")
    return {"returned": True}


@control("GET", "/_sandbox/violations")
def violations(call: Call) -> Json:
    return {"violations": list(call.state.violations)}


def _number(parameters: Json, name: str, *, default: int | None = None) -> int:
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"{name} must be a whole number.", name)
    return value
