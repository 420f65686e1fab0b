"""The ways in which money is asked for: a card kept for later, an invoice, a single charge."""

from sandbox.stripe.cards import Behaviour, Card
from sandbox.stripe.engine.charging import confirm_intent, create_intent, fail_authentication, require_payable
from sandbox.stripe.engine.dunning import note_failure
from sandbox.stripe.engine.invoicing import intent_of, invoice_of_intent, mark_paid, require_status
from sandbox.stripe.engine.lifecycle import note_payment, subscription_of_invoice
from sandbox.stripe.engine.methods import attach_method, make_default, method_to_charge, new_method
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.state import State
from sandbox.stripe.values import Json


def attach_card(state: State, customer_id: str, card: Card, *, default: bool) -> Json:
    """Keep a card for a customer, as the one for invoices if `default`; 402 for a card that the bank refuses.

    Gives the payment method.
    """
    customer = state.store.get("customer", customer_id, "customer")
    if card.behaviour is Behaviour.DECLINED:
        raise card.decline(keep=True)
    method = attach_method(state, new_method(state, card), customer)
    if default:
        make_default(state, customer_id, method["id"])
    return method


def pay_invoice(state: State, invoice: Json, *, payment_method: str | None, authenticated: bool = False) -> Json:
    """Collect an open invoice, by default from the subscription's or the customer's default card.

    Gives the invoice: `paid`, or still `open` where its intent now requires 3-D Secure. A decline is written down
    (invoice.payment_failed, dunning) and raised as a 402; a customer without a card likewise, as a 400.
    """
    require_status(invoice, {"open", "uncollectible"}, "pay")
    intent = intent_of(state, invoice)
    if intent is None:
        return settle_invoice(state, invoice)
    try:
        method = method_for_invoice(state, invoice, payment_method)
        intent = confirm_intent(state, intent, method, authenticated=authenticated)
    except StripeError as error:
        error.keep = True
        note_failure(state, invoice, action_required=False)
        raise
    if intent["status"] == "requires_action":
        return note_failure(state, invoice, action_required=True)
    return settle_invoice(state, invoice)


def charge_once(
    state: State,
    *,
    customer: str | None,
    amount: int,
    currency: str,
    payment_method: str,
    description: str | None,
    metadata: Json,
    authenticated: bool = False,
    **more: object,
) -> Json:
    """Charge an amount in minor units outside any invoice.

    Gives the intent, `succeeded` or `requires_action`; a decline is written down and raised as a 402. `more` are
    fields of the intent.
    """
    method = method_to_charge(state, payment_method, customer)
    intent = create_intent(
        state,
        amount=amount,
        currency=currency,
        customer=customer,
        description=description,
        metadata=metadata,
        payment_method=method["id"],
        **more,
    )
    return confirm_intent(state, intent, method, authenticated=authenticated)


def confirm_payment(state: State, intent: Json, *, payment_method: str | None, authenticated: bool = False) -> Json:
    """Confirm an intent, and pay the invoice that it is for, if any. Gives the intent; 402 for a decline."""
    require_payable(intent, "confirm")
    invoice = invoice_of_intent(state, intent)
    chosen = payment_method or intent["payment_method"]
    if invoice and invoice["status"] in {"open", "uncollectible"}:
        pay_invoice(state, invoice, payment_method=chosen, authenticated=authenticated)
        return state.store.get("payment_intent", intent["id"])
    if chosen is None:
        raise invalid("You cannot confirm this PaymentIntent because it's missing a payment method.", "payment_method")
    method = method_to_charge(state, chosen, intent["customer"])
    return confirm_intent(state, intent, method, authenticated=authenticated)


def finish_authentication(state: State, intent_id: str, *, passed: bool) -> Json:
    """What the 3-D Secure page does: pay, or write down the failure and raise it as a 402. Gives the intent."""
    intent = state.store.get("payment_intent", intent_id)
    if intent["status"] != "requires_action":
        raise invalid("This payment waits for no authentication.", code="payment_intent_unexpected_state")
    if passed:
        return confirm_payment(state, intent, payment_method=None, authenticated=True)
    raise fail_authentication(state, intent)


def settle_invoice(state: State, invoice: Json, *, out_of_band: bool = False) -> Json:
    """Mark an invoice as paid and let its subscription go on."""
    invoice["attempt_count"] += 0 if out_of_band else 1
    invoice = mark_paid(state, invoice, out_of_band=out_of_band)
    note_payment(state, invoice)
    return invoice


def method_for_invoice(state: State, invoice: Json, payment_method: str | None) -> Json:
    """Give the payment method that pays an invoice: the one named, or the nearest default; 400 without any."""
    subscription = subscription_of_invoice(state, invoice) or {}
    customer = state.store.get("customer", invoice["customer"])
    return method_to_charge(
        state,
        payment_method
        or invoice["default_payment_method"]
        or subscription.get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"],
        customer["id"],
    )
