"""Events: a snapshot of what changed, and a delivery for each endpoint that asked for its type."""

import copy
import hashlib
import time
from typing import TYPE_CHECKING

from sandbox.stripe.ids import new_id
from sandbox.stripe.specification import API_VERSION
from sandbox.stripe.store import Store
from sandbox.stripe.values import Json, public

if TYPE_CHECKING:
    from sandbox.stripe.state import State

MODES = ("normal", "late", "twice", "shuffled", "drop", "held")
DEFAULT_DELAYS = {"late": 3.0, "shuffled": 1.0}  # seconds of real time
DROPPED_SHARE = 0.1


def emit(state: "State", event_type: str, obj: Json, previous: Json | None, *, account: str | None) -> None:
    data: Json = {"object": public(copy.deepcopy(obj))}
    if previous is not None:
        data["previous_attributes"] = public(previous)
    endpoints = [endpoint for endpoint in state.store.all("webhook_endpoint") if _wants(endpoint, event_type, account)]
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": state.now(obj),
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": state.request or {"id": None, "idempotency_key": None},
        "type": event_type,
    }
    if account is not None:
        event["account"] = account
    state.store.put("event", event)
    for endpoint in reversed(endpoints):
        _queue(state.store, event["id"], endpoint["id"])


def webhook_mode(store: Store) -> Json:
    """How webhooks are sent: {"mode", "delay_seconds", "seed", "queued"}."""
    mode: Json = store.fact("webhook_mode") or {"mode": "normal", "delay_seconds": 0.0, "seed": 0, "queued": 0}
    return mode


def set_webhook_mode(store: Store, mode: str, *, delay_seconds: float | None, seed: int) -> Json:
    """From now on; what is held stays held until it is flushed."""
    delay = DEFAULT_DELAYS.get(mode, 0.0) if delay_seconds is None else delay_seconds
    chosen: Json = {"mode": mode, "delay_seconds": delay, "seed": seed, "queued": 0}
    store.set_fact("webhook_mode", chosen)
    return chosen


def _wants(endpoint: Json, event_type: str, account: str | None) -> bool:
    if endpoint["status"] != "enabled" or endpoint.get("_connect", False) != (account is not None):
        return False
    return "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]


def _queue(store: Store, event: str, endpoint: str) -> None:
    """One delivery, or what the mode makes of it; chance is seeded and counted, so that a run can be repeated."""
    mode = webhook_mode(store)
    chance = _chance(mode["seed"], mode["queued"])
    store.set_fact("webhook_mode", mode | {"queued": mode["queued"] + 1})
    wait, waiting = 0.0, "pending"
    match mode["mode"]:
        case "held":
            waiting = "held"
        case "late":
            wait = mode["delay_seconds"]
        case "shuffled":
            wait = mode["delay_seconds"] * chance
        case "drop" if chance < DROPPED_SHARE:
            waiting = "dropped"
    for _ in range(2 if mode["mode"] == "twice" else 1):
        store.add_delivery(new_id("dlv"), event=event, endpoint=endpoint, due=time.time() + wait, state=waiting)


def _chance(seed: int, number: int) -> float:
    """From 0 to 1, scattered evenly, the same for the same two numbers."""
    digest = hashlib.sha256(f"{seed} {number}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
