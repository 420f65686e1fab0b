"""Collecting a subscription's fresh invoice, as strictly as the caller asked (`payment_behavior`)."""

from sandbox.stripe.engine.invoicing import finalize_invoice, intent_of
from sandbox.stripe.engine.lifecycle import note_arrears, note_payment
from sandbox.stripe.engine.payments import method_for_invoice, pay_invoice
from sandbox.stripe.errors import StripeError, card_error, invalid
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, public

STRICT = "error_if_incomplete"
BY_HAND = "default_incomplete"
NOT_SERVED = "pending_if_incomplete"


def check_behavior(behavior: str) -> None:
    """400 for the one way that the sandbox does not serve."""
    if behavior == NOT_SERVED:
        raise invalid("The sandbox does not serve payment_behavior=pending_if_incomplete.", "payment_behavior")


def require_method(state: State, invoice: Json, behavior: str, payment_method: str | None) -> None:
    """400 where something is due at once and the customer has no card for it."""
    if invoice["amount_due"] > 0 and behavior != BY_HAND and invoice["collection_method"] == "charge_automatically":
        method_for_invoice(state, invoice, payment_method)


def collect(
    state: State, invoice: Json, *, behavior: str, payment_method: str | None = None, authenticated: bool = False
) -> Json:
    """Finalize a draft and ask for its money. Gives the invoice.

    With error_if_incomplete a payment that fails or wants 3-D Secure is raised as a 402 that takes everything back.
    With default_incomplete nothing is charged. Otherwise what fails stays open.
    """
    invoice = finalize_invoice(state, invoice)
    if invoice["status"] == "paid":
        note_payment(state, invoice)
        return invoice
    if invoice["collection_method"] == "send_invoice":
        return invoice
    if behavior == BY_HAND:
        note_arrears(state, invoice)
        return invoice
    try:
        invoice = pay_invoice(state, invoice, payment_method=payment_method, authenticated=authenticated)
    except StripeError as error:
        if behavior == STRICT:
            error.keep = False
            raise
        return state.store.get("invoice", invoice["id"])
    if invoice["status"] != "paid" and behavior == STRICT:
        raise action_required(state, invoice, keep=False)
    return invoice


def action_required(state: State, invoice: Json, *, keep: bool) -> StripeError:
    """The 402 of an invoice whose card wants 3-D Secure."""
    return card_error(
        "invoice_payment_intent_requires_action",
        "Payment for this invoice requires additional user action before it can be completed successfully.",
        "authentication_required",
        keep=keep,
        payment_intent=public(intent_of(state, invoice)),
    )
