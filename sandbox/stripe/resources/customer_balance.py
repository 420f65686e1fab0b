"""What a customer's balance was changed by."""

from sandbox.stripe.engine.balances import change_customer_balance
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json, merged_metadata

KIND = "customer_balance_transaction"


@route("GET", "/v1/customers/{customer}/balance_transactions")
def list_transactions(call: Call) -> Json:
    customer = call.state.store.get("customer", call.arguments["customer"], "customer")
    filters = {"invoice": call.parameters["invoice"]} if "invoice" in call.parameters else {}
    found = call.state.store.where(KIND, customer=customer["id"], **filters)
    return listed(call, found, f"/v1/customers/{customer['id']}/balance_transactions")


@route("GET", "/v1/customers/{customer}/balance_transactions/{transaction}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["transaction"], "transaction")


@route("POST", "/v1/customers/{customer}/balance_transactions")
def create(call: Call) -> Json:
    """A negative amount is credit for the customer, in minor units."""
    state, parameters = call.state, call.parameters
    customer = state.store.get("customer", call.arguments["customer"], "customer")
    source = {"id": None, "currency": parameters["currency"].lower()}
    change_customer_balance(state, customer, amount=parameters["amount"], invoice=source, kind="adjustment")
    made = state.store.where(KIND, customer=customer["id"])[0]
    made["description"] = parameters.get("description")
    made["metadata"] = merged_metadata({}, parameters.get("metadata"))
    return state.store.put(KIND, made)
