"""Draft invoices: lines gathered, totals added up, nothing asked for yet."""

from sandbox.stripe.engine.lines import pending_line
from sandbox.stripe.engine.taxes import tax_lines
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import as_list
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

ACCOUNT_NAME = "Sandbox"


def draft_invoice(
    state: State,
    *,
    customer: Json,
    currency: str,
    lines: list[Json],
    reason: str,
    at: int,
    subscription: Json | None = None,
    period: tuple[int, int] | None = None,
    **more: object,
) -> Json:
    """Store a draft and say so; `reason` is the invoice's billing_reason, `more` are fields of the invoice."""
    invoice_id = new_id("in")
    start, end = period or (at, at)
    invoice: Json = EMPTY_INVOICE | _of_customer(state, customer)
    invoice |= {
        "id": invoice_id,
        "billing_reason": reason,
        "created": at,
        "currency": currency,
        "lines": as_list([], f"/v1/invoices/{invoice_id}/lines"),
        "metadata": {},
        "parent": _parent(subscription),
        "period_end": end,
        "period_start": start,
        "status_transitions": dict.fromkeys(TRANSITIONS),
    }
    if subscription:
        invoice |= {"collection_method": subscription["collection_method"]}
    invoice |= more
    add_lines(state, invoice, lines)
    state.store.put("invoice", invoice)
    state.emit("invoice.created", invoice)
    return invoice


def add_lines(state: State, invoice: Json, lines: list[Json]) -> None:
    """Append lines to a draft and add up again what it asks for."""
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["lines"]["data"] += lines
    add_up(state, invoice)


def add_up(state: State, invoice: Json) -> None:
    """Tax a draft as is done by now, and say what it asks for."""
    tax_lines(state, invoice)
    subtotal = sum(line["amount"] for line in invoice["lines"]["data"])
    for field in ("subtotal", "subtotal_excluding_tax", "total_excluding_tax"):
        invoice[field] = subtotal
    total = invoice["total"] = subtotal + sum(tax["amount"] for tax in invoice["total_taxes"])
    applied = applicable_balance(total, invoice["starting_balance"])
    invoice["amount_due"] = invoice["amount_remaining"] = max(0, total) + applied


def applicable_balance(total: int, balance: int) -> int:
    """Give what the customer's balance adds to an invoice (negative: takes off), both in minor units."""
    return 0 if total < 0 else max(balance, -total)


def take_pending(state: State, customer: str, *, currency: str, subscription: str | None) -> list[Json]:
    """Give the lines of the items that wait: those of the subscription, and those of none. They wait until `settle`."""
    waiting = state.store.where("invoiceitem", customer=customer, invoice=None, currency=currency)
    mine = [item for item in reversed(waiting) if subscription_of(item) in {subscription, None}]
    return [pending_line(item) for item in mine]


def mark_taken(state: State, invoice: Json) -> None:
    """Bind the waiting items whose lines are on the invoice to it."""
    for line in invoice["lines"]["data"]:
        details = line["parent"]["invoice_item_details"] or line["parent"]["subscription_item_details"]
        item = details["invoice_item"] and state.store.find("invoiceitem", details["invoice_item"])
        if item and item["invoice"] is None:
            item["invoice"] = invoice["id"]
            state.store.put("invoiceitem", item)


def subscription_of(obj: Json) -> str | None:
    """Give the subscription that an invoice or an invoice item comes from."""
    parent = obj["parent"]
    details = parent["subscription_details"] if parent else None
    return details["subscription"] if details else None


def _of_customer(state: State, customer: Json) -> Json:
    tax_ids = state.store.where("tax_id", customer=customer["id"])
    details: Json = {
        f"customer_{name}": customer.get(name) for name in ("address", "email", "name", "phone", "shipping")
    }
    return details | {
        "customer": customer["id"],
        "customer_tax_ids": [{"type": one["type"], "value": one["value"]} for one in reversed(tax_ids)],
        "starting_balance": customer["balance"],
        "test_clock": customer.get("test_clock"),
    }


def _parent(subscription: Json | None) -> Json | None:
    if subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        "type": "subscription_details",
    }


TRANSITIONS = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
EMPTY_INVOICE: Json = {
    "object": "invoice",
    "account_country": "US",
    "account_name": ACCOUNT_NAME,
    "account_tax_ids": None,
    "amount_due": 0,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_paid_off_stripe": 0,
    "amount_remaining": 0,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": True,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
    "automatically_finalizes_at": None,
    "collection_method": "charge_automatically",
    "custom_fields": None,
    "customer_account": None,
    "customer_tax_exempt": "none",
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "effective_at": None,
    "ending_balance": None,
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "statement_descriptor": None,
    "status": "draft",
    "total_discount_amounts": [],
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
    "webhooks_delivered_at": None,
}
