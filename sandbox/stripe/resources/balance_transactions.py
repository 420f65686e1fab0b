"""Movements of the platform's balance."""

from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

KIND = "balance_transaction"
URL = "/v1/balance_transactions"


@route("GET", "/v1/balance_transactions/{id}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["id"])


@route("GET", "/v1/balance_transactions")
def list_movements(call: Call) -> Json:
    names = ("currency", "source", "type")
    filters = {name: call.parameters[name] for name in names if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)
