"""Asking again for money that could not be collected (S8)."""

from sandbox.stripe.engine.drafts import subscription_of
from sandbox.stripe.engine.invoicing import update_invoice
from sandbox.stripe.engine.lifecycle import end_subscription, note_arrears, subscription_of_invoice
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

DAY = 86_400
DELAYS = (3 * DAY, 5 * DAY, 7 * DAY)  # from each failed attempt to the next one


def note_failure(state: State, invoice: Json, *, action_required: bool) -> Json:
    """Count a failed attempt and plan the next one; after the last one the subscription ends.

    An attempt by hand, before its time, leaves the plan as it is.
    """
    now = state.now(invoice)
    planned = invoice["next_payment_attempt"]
    retries = invoice.get("_retries", 0)
    if _is_collected_again(invoice) and (planned is None or planned <= now):
        planned = now + DELAYS[retries] if retries < len(DELAYS) else None
        retries += 1
    attempts = invoice["attempt_count"] + 1
    fields = {"attempted": True, "attempt_count": attempts, "next_payment_attempt": planned, "_retries": retries}
    update_invoice(state, invoice, **fields)
    if action_required:
        state.emit("invoice.payment_action_required", invoice)
    state.emit("invoice.payment_failed", invoice)
    note_arrears(state, invoice)
    if retries > len(DELAYS):
        _give_up(state, invoice)
    return state.store.get("invoice", invoice["id"])


def _is_collected_again(invoice: Json) -> bool:
    """Whether failed attempts are repeated: not for a subscription that has not begun, nor after a cancellation."""
    if subscription_of(invoice) is None or not invoice["auto_advance"]:
        return False
    return bool(invoice["billing_reason"] != "subscription_create")


def _give_up(state: State, invoice: Json) -> None:
    subscription = subscription_of_invoice(state, invoice)
    if subscription and subscription["status"] in {"past_due", "unpaid"}:
        end_subscription(state, subscription, reason="payment_failed")
