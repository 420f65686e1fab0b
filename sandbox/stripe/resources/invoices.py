"""Invoices."""

from sandbox.stripe.engine.collecting import action_required
from sandbox.stripe.engine.drafts import draft_invoice, subscription_of, take_pending
from sandbox.stripe.engine.invoicing import (
    finalize_invoice,
    require_status,
    update_invoice,
    void_invoice,
    write_off_invoice,
)
from sandbox.stripe.engine.lifecycle import get_subscription, note_payment
from sandbox.stripe.engine.payments import pay_invoice, settle_invoice
from sandbox.stripe.engine.preview import preview_invoice
from sandbox.stripe.errors import invalid
from sandbox.stripe.expansion import includable
from sandbox.stripe.listing import as_list, listed
from sandbox.stripe.platform import DEFAULT_CURRENCY
from sandbox.stripe.routing import Call, route
from sandbox.stripe.search import searched
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

KIND = "invoice"
URL = "/v1/invoices"
SEARCHABLE = {"created", "currency", "customer", "metadata", "number", "status", "subscription", "total"}
FILTERS = ("collection_method", "customer", "due_date", "status")
EDITABLE = ("auto_advance", "collection_method", "default_payment_method", "description", "footer")
DAY = 86_400
DRAFT_FOR = 3600  # seconds


@route("POST", "/v1/invoices")
def create(call: Call) -> Json:
    """A draft; with a subscription, or with pending_invoice_items_behavior=include, of the items that wait."""
    state, wanted = call.state, call.parameters
    if "customer" not in wanted:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.store.get("customer", wanted["customer"], "customer")
    subscription = get_subscription(state, wanted["subscription"]) if "subscription" in wanted else None
    currency = wanted.get("currency") or customer["currency"] or DEFAULT_CURRENCY
    lines: list[Json] = []
    if wanted.get("pending_invoice_items_behavior", "include" if subscription else "exclude") == "include":
        owner = wanted.get("subscription")
        lines = take_pending(state, customer["id"], currency=currency, subscription=owner)
    now = state.now(customer)
    due = now + int(wanted["days_until_due"]) * DAY if "days_until_due" in wanted else wanted.get("due_date")
    fields = {"auto_advance": False} | {name: wanted[name] for name in EDITABLE if name in wanted}
    return draft_invoice(
        state,
        customer=customer,
        currency=currency,
        lines=lines,
        reason="manual",
        at=now,
        subscription=subscription,
        metadata=merged_metadata({}, wanted.get("metadata")),
        due_date=due,
        **fields | _advance(fields["auto_advance"], now),
    )


@route("GET", "/v1/invoices/{invoice}")
def retrieve(call: Call) -> Json:
    return _invoice(call)


@route("POST", "/v1/invoices/{invoice}")
def update(call: Call) -> Json:
    invoice = _invoice(call)
    changes = {name: call.parameters[name] for name in EDITABLE if name in call.parameters}
    if invoice["status"] == "draft" and "auto_advance" in changes:
        changes |= _advance(changes["auto_advance"], call.state.now(invoice))
    metadata = merged_metadata(invoice["metadata"] or {}, call.parameters.get("metadata"))
    return update_invoice(call.state, invoice, metadata=metadata, **changes)


@route("DELETE", "/v1/invoices/{invoice}")
def delete(call: Call) -> Json:
    """Drafts only; the items on it wait again."""
    invoice = _invoice(call)
    require_status(invoice, {"draft"}, "delete")
    call.state.store.delete(KIND, invoice["id"])
    call.state.emit("invoice.deleted", invoice)
    return {"id": invoice["id"], "object": KIND, "deleted": True}


@route("POST", "/v1/invoices/{invoice}/finalize")
def finalize(call: Call) -> Json:
    invoice = finalize_invoice(call.state, _invoice(call))
    if invoice["status"] == "paid":
        note_payment(call.state, invoice)
    return invoice


@route("POST", "/v1/invoices/{invoice}/pay")
def pay(call: Call) -> Json:
    state, invoice = call.state, _invoice(call)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "draft":
        invoice = finalize_invoice(state, invoice)
        if invoice["status"] == "paid":
            return invoice
    if call.parameters.get("paid_out_of_band"):
        require_status(invoice, {"open", "uncollectible"}, "pay")
        return settle_invoice(state, invoice, out_of_band=True)
    paid = pay_invoice(state, invoice, payment_method=call.parameters.get("payment_method"))
    if paid["status"] != "paid":
        raise action_required(state, paid, keep=True)
    return paid


@route("POST", "/v1/invoices/{invoice}/void")
def void(call: Call) -> Json:
    return void_invoice(call.state, _invoice(call))


@route("POST", "/v1/invoices/{invoice}/mark_uncollectible")
def mark_uncollectible(call: Call) -> Json:
    return write_off_invoice(call.state, _invoice(call))


@route("POST", "/v1/invoices/create_preview")
def create_preview(call: Call) -> Json:
    return preview_invoice(call.state, call.parameters)


@route("GET", "/v1/invoices")
def list_invoices(call: Call) -> Json:
    wanted = call.parameters
    found = call.state.store.where(KIND, **{name: wanted[name] for name in FILTERS if name in wanted})
    if "subscription" in wanted:
        found = [invoice for invoice in found if subscription_of(invoice) == wanted["subscription"]]
    return listed(call, found, URL)


@route("GET", "/v1/invoices/search")
def search(call: Call) -> Json:
    found = [invoice | {"subscription": subscription_of(invoice)} for invoice in call.state.store.all(KIND)]
    answer = searched(call, found, f"{URL}/search", SEARCHABLE)
    for invoice in answer["data"]:
        del invoice["subscription"]
    return answer


@route("GET", "/v1/invoices/{invoice}/lines")
def lines(call: Call) -> Json:
    invoice = _invoice(call)
    return listed(call, invoice["lines"]["data"], invoice["lines"]["url"])


@includable(KIND, "payments")
def payments(state: State, invoice: Json) -> Json:
    url = f"/v1/invoice_payments?invoice={invoice['id']}"
    return as_list(state.store.where("invoice_payment", invoice=invoice["id"]), url)


@includable(KIND, "confirmation_secret")
def confirmation_secret(state: State, invoice: Json) -> Json | None:
    """What a page needs to let the customer pay."""
    secret = invoice.get("_client_secret")
    return {"client_secret": secret, "type": "payment_intent"} if secret else None


def _advance(auto_advance: object, now: int) -> Json:
    """When a draft finalizes itself and asks for its money; never without auto_advance."""
    at = now + DRAFT_FOR if auto_advance else None
    return {"automatically_finalizes_at": at, "next_payment_attempt": at}


def _invoice(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["invoice"], "invoice")
