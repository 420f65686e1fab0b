"""Invoice payments: which payment intent pays which invoice."""

from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

KIND = "invoice_payment"
URL = "/v1/invoice_payments"


@route("GET", "/v1/invoice_payments/{invoice_payment}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["invoice_payment"], "invoice_payment")


@route("GET", "/v1/invoice_payments")
def list_payments(call: Call) -> Json:
    filters: Json = {name: call.parameters[name] for name in ("invoice", "status") if name in call.parameters}
    payment: Json = call.parameters.get("payment") or {}
    if "payment_intent" in payment:
        filters["_intent"] = payment["payment_intent"]
    return listed(call, call.state.store.where(KIND, **filters), URL)
