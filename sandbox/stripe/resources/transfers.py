"""Transfers to connected accounts and their reversals: /v1/transfers."""

from sandbox.stripe.connect.moving import KIND, REVERSAL, send, take_back
from sandbox.stripe.errors import missing
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json, apply, changed, merged_metadata

PATH = "/v1/transfers"
FILTERS = ("destination", "transfer_group")


@route("POST", PATH)
def create(call: Call) -> Json:
    return send(call.state, call.parameters)


@route("GET", PATH)
def list_transfers(call: Call) -> Json:
    wanted = {name: call.parameters[name] for name in FILTERS if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **wanted), PATH)


@route("GET", f"{PATH}/{{transfer}}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["transfer"], "transfer")


@route("POST", f"{PATH}/{{transfer}}")
def update(call: Call) -> Json:
    transfer = call.state.store.get(KIND, call.arguments["transfer"], "transfer")
    before = dict(transfer)
    apply(transfer, call.parameters, ["description"])
    transfer["metadata"] = merged_metadata(transfer["metadata"], call.parameters.get("metadata"))
    call.state.store.put(KIND, transfer)
    if previous := changed(before, transfer):
        call.state.emit("transfer.updated", transfer, previous)
    return transfer


@route("POST", f"{PATH}/{{id}}/reversals")
def reverse(call: Call) -> Json:
    return take_back(call.state, call.state.store.get(KIND, call.arguments["id"], "id"), call.parameters)


@route("GET", f"{PATH}/{{id}}/reversals")
def list_reversals(call: Call) -> Json:
    transfer = call.state.store.get(KIND, call.arguments["id"], "id")
    reversals = call.state.store.where(REVERSAL, transfer=transfer["id"])
    return listed(call, reversals, f"{PATH}/{transfer['id']}/reversals")


@route("GET", f"{PATH}/{{transfer}}/reversals/{{id}}")
def retrieve_reversal(call: Call) -> Json:
    reversal = call.state.store.get(REVERSAL, call.arguments["id"], "id")
    if reversal["transfer"] != call.arguments["transfer"]:
        raise missing(REVERSAL, call.arguments["id"], "id")
    return reversal
