"""Credit notes."""

from sandbox.stripe.engine.crediting import KIND, credit_invoice, void_note
from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

URL = "/v1/credit_notes"
UNSUPPORTED = ("refunds", "shipping_cost")


@route("POST", "/v1/credit_notes")
def create(call: Call) -> Json:
    for name in UNSUPPORTED:
        if name in call.parameters:
            raise invalid(f"The sandbox makes no credit notes with {name}.", name)
    invoice = call.state.store.get("invoice", call.parameters["invoice"], "invoice")
    return credit_invoice(call.state, invoice, call.parameters)


@route("GET", "/v1/credit_notes/{id}")
def retrieve(call: Call) -> Json:
    return _note(call, "id")


@route("POST", "/v1/credit_notes/{id}/void")
def void(call: Call) -> Json:
    return void_note(call.state, _note(call, "id"))


@route("GET", "/v1/credit_notes")
def list_notes(call: Call) -> Json:
    filters = {name: call.parameters[name] for name in ("customer", "invoice") if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


@route("GET", "/v1/credit_notes/{credit_note}/lines")
def lines(call: Call) -> Json:
    note = _note(call, "credit_note")
    return listed(call, note["lines"]["data"], note["lines"]["url"])


def _note(call: Call, name: str) -> Json:
    return call.state.store.get(KIND, call.arguments[name], name)
