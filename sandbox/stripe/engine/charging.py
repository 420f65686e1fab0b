"""Payment intents and their charges: what happens when a card is asked for money."""

from sandbox.stripe.cards import Behaviour, Card
from sandbox.stripe.engine.balances import record
from sandbox.stripe.engine.disputes import open_dispute
from sandbox.stripe.engine.methods import card_of, is_authenticated, remember_authentication
from sandbox.stripe.errors import StripeError, card_error, invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, public

FEE_SHARE_MILLE = 29  # of the amount, in thousandths
FEE_FIXED = 30  # minor units a charge
PAYABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}


def create_intent(state: State, *, amount: int, currency: str, customer: str | None, **more: object) -> Json:
    """Prepare to take an amount in minor units; `more` are fields of the intent."""
    if amount <= 0:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    intent_id = new_id("pi")
    intent: Json = EMPTY_INTENT | {
        "id": intent_id,
        "amount": amount,
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "created": state.now({"customer": customer}),
        "currency": currency,
        "customer": customer,
    }
    intent |= more
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"
    state.store.put("payment_intent", intent)
    state.emit("payment_intent.created", intent)
    return intent


def confirm_intent(state: State, intent: Json, method: Json, *, authenticated: bool = False) -> Json:
    """Charge the payment method.

    Gives the intent as `succeeded`, or as `requires_action` where the card wants 3-D Secure. A decline is written
    down and then raised as a 402 that keeps what was written.
    """
    require_payable(intent, "confirm")
    card = card_of(method)
    intent["payment_method"] = method["id"]
    if card.behaviour in {Behaviour.DECLINED, Behaviour.DECLINED_LATER}:
        raise _decline(state, intent, method, card)
    if card.behaviour is Behaviour.NEEDS_AUTHENTICATION:
        if not authenticated and not is_authenticated(method):
            return _require_action(state, intent)
        remember_authentication(state, method)
    return _succeed(state, intent, method, card)


def fail_authentication(state: State, intent: Json) -> StripeError:
    """Write down that the customer failed 3-D Secure, and give the error to raise."""
    code, text = "payment_intent_authentication_failure", "The provided PaymentMethod has failed authentication."
    error = {"code": code, "message": text, "type": "card_error"}
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    intent["last_payment_error"] = error
    state.store.put("payment_intent", intent)
    state.emit("payment_intent.payment_failed", intent)
    return card_error(code, text, keep=True, payment_intent=public(intent))


def cancel_intent(state: State, intent: Json, *, reason: str | None) -> Json:
    """Give up an intent that was not paid; 400 for one that was."""
    require_payable(intent, "cancel")
    intent |= {"status": "canceled", "canceled_at": state.now(intent), "cancellation_reason": reason}
    intent["next_action"] = None
    state.store.put("payment_intent", intent)
    state.emit("payment_intent.canceled", intent)
    return intent


def require_payable(intent: Json, action: str) -> None:
    """400 for an intent that is paid or canceled."""
    if intent["status"] not in PAYABLE:
        raise invalid(
            f"You cannot {action} this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )


def _require_action(state: State, intent: Json) -> Json:
    url = f"{state.base_url}/3ds/{intent['id']}"
    intent["status"] = "requires_action"
    intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
    state.store.put("payment_intent", intent)
    state.emit("payment_intent.requires_action", intent)
    return intent


def _decline(state: State, intent: Json, method: Json, card: Card) -> StripeError:
    refusal = card.decline()
    charge = _charge(state, intent, method, card)
    charge |= {"status": "failed", "paid": False, "captured": False, "amount_captured": 0}
    charge |= {"failure_code": card.code, "failure_message": refusal.message, "outcome": _outcome(card.decline_code)}
    state.store.put("charge", charge)
    state.emit("charge.failed", charge)
    error: Json = {"charge": charge["id"], "code": card.code, "decline_code": card.decline_code}
    error |= {"message": refusal.message, "payment_method": public(method), "type": "card_error"}
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    intent |= {"last_payment_error": error, "latest_charge": charge["id"]}
    state.store.put("payment_intent", intent)
    state.emit("payment_intent.payment_failed", intent)
    extra = {"charge": charge["id"], "payment_intent": public(intent), "payment_method": public(method)}
    return card.decline(keep=True, **extra)


def _succeed(state: State, intent: Json, method: Json, card: Card) -> Json:
    charge = _charge(state, intent, method, card)
    fee = (charge["amount"] * FEE_SHARE_MILLE + 500) // 1000 + FEE_FIXED
    amount, currency = charge["amount"], charge["currency"]
    movement = record(
        state, kind="charge", amount=amount, currency=currency, source=charge, at=charge["created"], fee=fee
    )
    charge["balance_transaction"] = movement["id"]
    state.store.put("charge", charge)
    state.emit("charge.succeeded", charge)
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    intent |= {"next_action": None, "last_payment_error": None}
    state.store.put("payment_intent", intent)
    state.emit("payment_intent.succeeded", intent)
    if card.behaviour is Behaviour.DISPUTED:
        open_dispute(state, charge, card)
    return intent


def _outcome(decline_code: str | None) -> Json:
    declined = decline_code is not None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": decline_code,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank declined the payment." if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _charge(state: State, intent: Json, method: Json, card: Card) -> Json:
    charge = EMPTY_CHARGE | {
        "id": new_id("ch"),
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "billing_details": method["billing_details"],
        "created": state.now(intent),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "metadata": intent["metadata"],
        "outcome": _outcome(None),
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(intent, card), "type": "card"},
        "receipt_email": intent["receipt_email"],
    }
    return charge | {"transfer_group": intent["transfer_group"]}


def _card_details(intent: Json, card: Card) -> Json:
    return {
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": None,
        "funding": "credit",
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "network": card.brand,
        "network_token": None,
        "network_transaction_id": None,
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "wallet": None,
    }


EMPTY_INTENT: Json = {
    "object": "payment_intent",
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "automatic",
    "confirmation_method": "automatic",
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": None,
    "livemode": False,
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}
EMPTY_CHARGE: Json = {
    "object": "charge",
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": "SANDBOX",
    "captured": True,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "livemode": False,
    "on_behalf_of": None,
    "paid": True,
    "radar_options": {},
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "shipping": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
}
