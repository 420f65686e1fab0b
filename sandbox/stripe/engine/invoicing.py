"""What becomes of an invoice: finalized, paid, voided, written off."""

from sandbox.stripe.engine.balances import change_customer_balance
from sandbox.stripe.engine.charging import PAYABLE, cancel_intent, create_intent
from sandbox.stripe.engine.drafts import add_up, applicable_balance, mark_taken
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed


def finalize_invoice(state: State, invoice: Json) -> Json:
    """Give a draft its number, tax it, apply the customer's balance and ask for the rest; none is paid at once.

    A negative total becomes credit of the customer. 400 for what is no draft.
    """
    require_status(invoice, {"draft"}, "finalize")
    mark_taken(state, invoice)
    customer = state.store.get("customer", invoice["customer"])
    now = state.now(customer)
    _number(state, customer, invoice)
    add_up(state, invoice)
    _apply_balance(state, customer, invoice)
    invoice |= {"status": "open", "effective_at": now, "automatically_finalizes_at": None, "next_payment_attempt": None}
    invoice["status_transitions"]["finalized_at"] = now
    invoice["hosted_invoice_url"] = f"{state.base_url}/invoices/{invoice['id']}"
    invoice["invoice_pdf"] = f"{state.base_url}/invoices/{invoice['id']}/pdf"
    if invoice["amount_due"] > 0:
        _ask_for_payment(state, invoice)
    state.store.put("invoice", invoice)
    state.emit("invoice.finalized", invoice)
    return invoice if invoice["amount_due"] > 0 else mark_paid(state, invoice)


def mark_paid(state: State, invoice: Json, *, out_of_band: bool = False) -> Json:
    """Write down that an open invoice is paid."""
    before = _snapshot(invoice)
    now = state.now(invoice)
    invoice |= {"status": "paid", "attempted": True, "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice |= {"next_payment_attempt": None, "auto_advance": False}
    invoice["amount_paid_off_stripe"] = invoice["amount_due"] if out_of_band else 0
    invoice["status_transitions"] = invoice["status_transitions"] | {"paid_at": now}
    state.store.put("invoice", invoice)
    _close_payment(state, invoice, "canceled" if out_of_band else "paid")
    state.emit("invoice.updated", invoice, changed(before, invoice))
    state.emit("invoice.paid", invoice)
    state.emit("invoice.payment_succeeded", invoice)
    return invoice


def void_invoice(state: State, invoice: Json) -> Json:
    """Cancel an open invoice as if it had never been asked for; balance that it used goes back to the customer."""
    require_status(invoice, {"open", "uncollectible"}, "void")
    customer = state.store.get("customer", invoice["customer"])
    used = invoice["ending_balance"] - invoice["starting_balance"]
    _give_up(state, invoice, "void", "voided_at")
    if used and invoice["total"] > 0:
        change_customer_balance(state, customer, amount=-used, invoice=invoice, kind="unapplied_from_invoice")
    state.emit("invoice.voided", invoice)
    return invoice


def write_off_invoice(state: State, invoice: Json) -> Json:
    """Mark an open invoice as uncollectible."""
    require_status(invoice, {"open"}, "mark as uncollectible")
    _give_up(state, invoice, "uncollectible", "marked_uncollectible_at")
    state.emit("invoice.marked_uncollectible", invoice)
    return invoice


def invoice_payment_of(state: State, invoice: str) -> Json | None:
    """Give the payment that an invoice waits for or was paid by."""
    return next(iter(state.store.where("invoice_payment", invoice=invoice)), None)


def intent_of(state: State, invoice: Json) -> Json | None:
    """Give the payment intent of a finalized invoice; None where nothing was due."""
    payment = invoice_payment_of(state, invoice["id"])
    return state.store.get("payment_intent", payment["payment"]["payment_intent"]) if payment else None


def invoice_of_intent(state: State, intent: Json) -> Json | None:
    """Give the invoice that an intent pays."""
    for payment in state.store.where("invoice_payment", _intent=intent["id"]):
        return state.store.get("invoice", payment["invoice"])
    return None


def require_status(invoice: Json, statuses: set[str], action: str) -> None:
    """400 where the invoice is in no state for the action."""
    if invoice["status"] not in statuses:
        raise invalid(
            f"You can't {action} an invoice whose status is {invoice['status']}.", code="invoice_not_editable"
        )


def update_invoice(state: State, invoice: Json, **fields: object) -> Json:
    """Change fields and say so."""
    before = _snapshot(invoice)
    invoice |= fields
    state.store.put("invoice", invoice)
    state.emit("invoice.updated", invoice, changed(before, invoice))
    return invoice


def _snapshot(invoice: Json) -> Json:
    return invoice | {"status_transitions": dict(invoice["status_transitions"])}


def _number(state: State, customer: Json, invoice: Json) -> None:
    sequence = customer.get("next_invoice_sequence") or 1
    prefix = customer.get("invoice_prefix") or customer["id"][-8:].upper()
    invoice["number"] = invoice["number"] or f"{prefix}-{sequence:04}"
    customer |= {"next_invoice_sequence": sequence + 1, "invoice_prefix": prefix}
    state.store.put("customer", customer)


def _apply_balance(state: State, customer: Json, invoice: Json) -> None:
    total, balance = invoice["total"], customer["balance"]
    applied = applicable_balance(total, balance)
    movement = total if total < 0 else -applied
    invoice |= {"starting_balance": balance, "ending_balance": balance + movement}
    invoice["amount_due"] = invoice["amount_remaining"] = max(0, total) + applied
    if movement:
        kind = "invoice_too_small" if total < 0 else "applied_to_invoice"
        change_customer_balance(state, customer, amount=movement, invoice=invoice, kind=kind)


def _ask_for_payment(state: State, invoice: Json) -> None:
    reason = "Subscription creation" if invoice["billing_reason"] == "subscription_create" else "Payment for Invoice"
    intent = create_intent(
        state,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=reason,
        setup_future_usage="off_session" if invoice["parent"] else None,
    )
    invoice["_client_secret"] = intent["client_secret"]
    state.store.put(
        "invoice_payment",
        {
            "id": new_id("inpay"),
            "object": "invoice_payment",
            "_intent": intent["id"],
            "_test_clock": invoice["test_clock"],
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": intent["created"],
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )


def _close_payment(state: State, invoice: Json, status: str) -> None:
    payment = invoice_payment_of(state, invoice["id"])
    if payment is None or payment["status"] != "open":
        return
    payment["status"] = status
    payment["status_transitions"][f"{status}_at"] = state.now(invoice)
    if status == "paid":
        payment["amount_paid"] = payment["amount_requested"]
    state.store.put("invoice_payment", payment)
    if status == "paid":
        state.emit("invoice_payment.paid", payment)
        return
    intent = state.store.get("payment_intent", payment["_intent"])
    if intent["status"] in PAYABLE:
        cancel_intent(state, intent, reason="void_invoice")


def _give_up(state: State, invoice: Json, status: str, moment: str) -> None:
    before = _snapshot(invoice)
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"] = invoice["status_transitions"] | {moment: state.now(invoice)}
    state.store.put("invoice", invoice)
    if status == "void":
        _close_payment(state, invoice, "canceled")
    state.emit("invoice.updated", invoice, changed(before, invoice))
