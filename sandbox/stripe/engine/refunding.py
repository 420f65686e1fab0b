"""Refunds: money back, never more than was charged."""

from sandbox.stripe.engine.balances import record
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed


def refund_charge(state: State, charge: Json, *, amount: int | None, reason: str | None, metadata: Json) -> Json:
    """Give back an amount in minor units, by default all that is left. 400 for more, or while the bank disputes it."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    wanted = left if amount is None else amount
    _check(charge, wanted, left)
    refund = _new_refund(state, charge, wanted, reason, metadata)
    at, currency = refund["created"], charge["currency"]
    movement = record(state, kind="refund", amount=-wanted, currency=currency, source=refund, at=at)
    refund["balance_transaction"] = movement["id"]
    state.store.put("refund", refund)
    before = dict(charge)
    charge["amount_refunded"] += wanted
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    state.store.put("charge", charge)
    state.emit("charge.refunded", charge, changed(before, charge))
    state.emit("refund.created", refund)
    return refund


def _check(charge: Json, wanted: int, left: int) -> None:
    if charge["disputed"]:
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if charge["status"] != "succeeded":
        raise invalid(f"Charge {charge['id']} did not succeed.", "charge")
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if wanted <= 0:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if wanted > left:
        raise invalid(f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})", "amount")


def _new_refund(state: State, charge: Json, amount: int, reason: str | None, metadata: Json) -> Json:
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": new_id("re"),
        "object": "refund",
        "_test_clock": state.test_clock_of(charge),
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": state.now(charge),
        "currency": charge["currency"],
        "destination_details": {"card": card, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
