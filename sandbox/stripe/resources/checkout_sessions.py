"""Checkout sessions: /v1/checkout/sessions."""

from sandbox.stripe.checkout.sessions import KIND, end_session, open_session
from sandbox.stripe.errors import invalid
from sandbox.stripe.expansion import includable
from sandbox.stripe.listing import DEFAULT_LIMIT, as_list, listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

PATH = "/v1/checkout/sessions"
FILTERS = ("customer", "payment_intent", "status", "subscription")


@route("POST", PATH)
def create(call: Call) -> Json:
    return open_session(call.state, call.parameters)


@route("GET", PATH)
def list_sessions(call: Call) -> Json:
    wanted = {name: call.parameters[name] for name in FILTERS if name in call.parameters}
    sessions = call.state.store.where(KIND, **wanted)
    email = (call.parameters.get("customer_details") or {}).get("email")
    if email is not None:
        sessions = [each for each in sessions if (each["customer_details"] or {}).get("email") == email]
    return listed(call, sessions, PATH)


@route("GET", f"{PATH}/{{session}}")
def retrieve(call: Call) -> Json:
    return _find(call)


@route("POST", f"{PATH}/{{session}}")
def update(call: Call) -> Json:
    """Metadata alone can change here."""
    session = _find(call)
    if odd := set(call.parameters) - {"metadata", "expand"}:
        raise invalid(f"The sandbox's Checkout cannot change `{min(odd)}`.", min(odd))
    session["metadata"] = merged_metadata(session["metadata"], call.parameters.get("metadata"))
    return call.state.store.put(KIND, session)


@route("POST", f"{PATH}/{{session}}/expire")
def expire(call: Call) -> Json:
    session = _find(call)
    if session["status"] != "open":
        raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
    return end_session(call.state, session)


@route("GET", f"{PATH}/{{session}}/line_items")
def line_items(call: Call) -> Json:
    session = _find(call)
    return listed(call, session["_items"], f"{PATH}/{session['id']}/line_items")


def _find(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["session"], "session")


@includable(KIND, "line_items")
def include_line_items(state: State, session: Json) -> Json:
    """The first page of what is sold, on request."""
    items = state.store.get(KIND, session["id"])["_items"]
    return as_list(items[:DEFAULT_LIMIT], f"{PATH}/{session['id']}/line_items", has_more=len(items) > DEFAULT_LIMIT)
