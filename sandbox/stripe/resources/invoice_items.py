"""Invoice items: what waits for the customer's next invoice."""

from decimal import Decimal

from sandbox.stripe.engine.amounts import price_amount
from sandbox.stripe.engine.drafts import add_lines
from sandbox.stripe.engine.items import read_price, store_pending
from sandbox.stripe.engine.lifecycle import get_subscription
from sandbox.stripe.engine.lines import invoice_item, pending_line, pricing, subscription_parent
from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.platform import DEFAULT_CURRENCY
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

KIND = "invoiceitem"
URL = "/v1/invoiceitems"


@route("POST", "/v1/invoiceitems")
def create(call: Call) -> Json:
    """An amount, or a price and a quantity; onto a draft if one is named."""
    state, wanted = call.state, call.parameters
    if "customer" not in wanted:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.store.get("customer", wanted["customer"], "customer")
    now = state.now(customer)
    if "subscription" in wanted:
        get_subscription(state, wanted["subscription"])
    item = invoice_item(
        customer=customer["id"],
        at=now,
        description=wanted.get("description"),
        metadata=merged_metadata({}, wanted.get("metadata")),
        parent=subscription_parent(wanted["subscription"]) if "subscription" in wanted else None,
        period=wanted.get("period") or {"start": now, "end": now},
        quantity=wanted.get("quantity", 1),
        test_clock=customer.get("test_clock"),
        **_amount(state, wanted, customer),
    )
    if "invoice" in wanted:
        _onto_draft(state, item, wanted["invoice"])
    return store_pending(state, item)


@route("GET", "/v1/invoiceitems/{invoiceitem}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["invoiceitem"], "invoiceitem")


@route("DELETE", "/v1/invoiceitems/{invoiceitem}")
def delete(call: Call) -> Json:
    """Only while it waits."""
    item = call.state.store.get(KIND, call.arguments["invoiceitem"], "invoiceitem")
    if item["invoice"] is not None:
        raise invalid("An item that is on an invoice cannot be deleted.", code="invoice_not_editable")
    call.state.store.delete(KIND, item["id"])
    call.state.emit("invoiceitem.deleted", item)
    return {"id": item["id"], "object": KIND, "deleted": True}


@route("GET", "/v1/invoiceitems")
def list_items(call: Call) -> Json:
    wanted = call.parameters
    filters = {name: wanted[name] for name in ("customer", "invoice") if name in wanted}
    found = call.state.store.where(KIND, **filters)
    if "pending" in wanted:
        found = [item for item in found if (item["invoice"] is None) == wanted["pending"]]
    answer = listed(call, [item | {"created": item["date"]} for item in found], URL)
    for item in answer["data"]:
        del item["created"]
    return answer


def _amount(state: State, wanted: Json, customer: Json) -> Json:
    named = wanted.get("pricing") or ({"price_data": wanted["price_data"]} if "price_data" in wanted else None)
    if named:
        price = read_price(state, named, "pricing")
        amount = price_amount(price, Decimal(wanted.get("quantity", 1)))
        return {"amount": amount, "currency": price["currency"], "pricing": pricing(price)}
    currency = wanted.get("currency") or customer["currency"] or DEFAULT_CURRENCY
    if "unit_amount_decimal" in wanted:
        price = {"billing_scheme": "per_unit", "unit_amount_decimal": str(wanted["unit_amount_decimal"])}
        return {"amount": price_amount(price, Decimal(wanted.get("quantity", 1))), "currency": currency}
    if "amount" not in wanted:
        raise invalid("You must supply amount, pricing or price_data.", "amount", "parameter_missing")
    return {"amount": wanted["amount"], "currency": currency}


def _onto_draft(state: State, item: Json, invoice_id: str) -> None:
    invoice = state.store.get("invoice", invoice_id, "invoice")
    if invoice["status"] != "draft" or invoice["customer"] != item["customer"]:
        raise invalid("The invoice must be a draft of the same customer.", "invoice", "invoice_not_editable")
    item["invoice"] = invoice_id
    add_lines(state, invoice, [pending_line(item)])
    state.store.put("invoice", invoice)
