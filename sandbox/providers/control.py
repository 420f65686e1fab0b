"""What a person or a test may do to the sandbox itself, under /_sandbox/: JSON, no key."""

from collections.abc import Callable

from sandbox.providers.application import Application
from sandbox.providers.faults import Senseless
from sandbox.providers.keys import State
from sandbox.providers.registry import PROVIDERS
from sandbox.providers.wire import Answer, Json, Request, json_answer

PREFIX = "/_sandbox/"
LONGEST_KEY = 1000


def answer_control(application: Application, request: Request) -> Answer:
    """400 with the reason for an order that makes no sense."""
    act = ACTIONS.get(f"{request.method} {request.path.removeprefix(PREFIX)}")
    if act is None:
        return json_answer({"error": f"There is no {request.method} {request.path}."}, status=404)
    try:
        return json_answer(act(application, request.json()))
    except Senseless as reason:
        return json_answer({"error": str(reason)}, status=400)


def health(_application: Application, _order: Json) -> Json:
    return {"status": "ok", "providers": len(PROVIDERS)}


def list_keys(_application: Application, _order: Json) -> Json:
    """Provider -> state -> key, as at every start."""
    return {provider.id: {state.value: provider.key(state) for state in State} for provider in PROVIDERS.values()}


def register_key(application: Application, order: Json) -> Json:
    """{"provider", "key", "state"}: a new key, or one that changes its state."""
    provider, key, state = order.get("provider"), order.get("key"), order.get("state", State.VALID)
    if provider not in PROVIDERS:
        raise Senseless(f"provider is one of {', '.join(PROVIDERS)}.")
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        raise Senseless(f"key is a text of up to {LONGEST_KEY} characters.")
    if state not in set(State):
        raise Senseless(f"state is one of {', '.join(State)}.")
    application.keys.register(provider, key, State(state))
    return {"provider": provider, "state": state}


def list_calls(application: Application, _order: Json) -> Json:
    """What was asked of the providers since the start or the last reset, the oldest first."""
    return {"calls": list(application.calls)}


def order_fault(application: Application, order: Json) -> Json:
    application.faults.order(order, set(PROVIDERS))
    return {"ordered": True}


def clear_faults(application: Application, _order: Json) -> Json:
    application.faults.clear()
    return {"cleared": True}


def reset(application: Application, _order: Json) -> Json:
    application.keys.reset()
    application.faults.clear()
    application.calls.clear()
    return {"reset": True}


ACTIONS: dict[str, Callable[[Application, Json], Json]] = {
    "GET health": health,
    "GET keys": list_keys,
    "POST keys": register_key,
    "GET calls": list_calls,
    "POST faults": order_fault,
    "DELETE faults": clear_faults,
    "POST reset": reset,
}
