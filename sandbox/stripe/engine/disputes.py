"""Disputes: the bank takes a charge back, and perhaps gives it up again."""

from sandbox.stripe.cards import Card
from sandbox.stripe.engine.balances import record
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed

DISPUTE_FEE = 1500  # minor units
DAYS_TO_ANSWER = 7
DAY = 86_400
OPEN = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}


def open_dispute(state: State, charge: Json, card: Card) -> Json:
    """Take the whole charge back as fraudulent."""
    dispute = _new_dispute(state, charge, card)
    dispute["balance_transactions"] = [_move(state, dispute, -charge["amount"], DISPUTE_FEE)]
    state.store.put("dispute", dispute)
    before = dict(charge)
    charge["disputed"] = True
    state.store.put("charge", charge)
    state.emit("charge.updated", charge, changed(before, charge))
    state.emit("charge.dispute.created", dispute)
    state.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(state: State, dispute: Json, *, status: str) -> Json:
    """Decide an open dispute as `won` (the money comes back) or `lost`; 400 for one that is decided."""
    if dispute["status"] not in OPEN:
        raise invalid("This dispute is already closed.", code="dispute_already_closed")
    before = dict(dispute)
    dispute["status"] = status
    if status == "won":
        back = _move(state, dispute, dispute["amount"], -DISPUTE_FEE)
        dispute["balance_transactions"] = [*dispute["balance_transactions"], back]
    state.store.put("dispute", dispute)
    if status == "won":
        state.emit("charge.dispute.funds_reinstated", dispute, changed(before, dispute))
    state.emit("charge.dispute.closed", dispute, changed(before, dispute))
    return dispute


def _move(state: State, dispute: Json, amount: int, fee: int) -> Json:
    currency, at = dispute["currency"], state.now(dispute)
    return record(state, kind="adjustment", amount=amount, currency=currency, source=dispute, at=at, fee=fee)


def _new_dispute(state: State, charge: Json, card: Card) -> Json:
    now = state.now(charge)
    return {
        "id": new_id("du"),
        "object": "dispute",
        "_test_clock": state.test_clock_of(charge),
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + DAYS_TO_ANSWER * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": card.brand, "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": "fraudulent",
        "status": "needs_response",
    }


EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
