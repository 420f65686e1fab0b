"""Payment methods: which card one stands for, whose it is, and which one pays."""

from sandbox.stripe.cards import CARDS, Card, card_by_token, is_ready_made
from sandbox.stripe.errors import StripeError, invalid, missing
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed


def new_method(state: State, card: Card, *, billing_details: Json | None = None, metadata: Json | None = None) -> Json:
    """Store a payment method for a card that belongs to nobody yet."""
    method: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "_number": card.number,
        "allow_redisplay": "unspecified",
        "billing_details": dict.fromkeys(("address", "email", "name", "phone", "tax_id")) | {"address": EMPTY_ADDRESS},
        "card": _card_fields(card),
        "created": state.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": metadata or {},
        "type": "card",
    }
    method["billing_details"] |= billing_details or {}
    return state.store.put("payment_method", method)


def card_of(method: Json) -> Card:
    """Give the test card behind a payment method."""
    return CARDS[method["_number"]]


def attach_method(state: State, method: Json, customer: Json) -> Json:
    """Make it the customer's, and say so."""
    method["customer"] = customer["id"]
    state.store.put("payment_method", method)
    state.emit("payment_method.attached", method)
    return method


def make_default(state: State, customer_id: str, method_id: str) -> Json:
    """Make it the one that pays the customer's invoices, and say so. Gives the customer."""
    customer = state.store.get("customer", customer_id)
    before = dict(customer)
    customer["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": method_id}
    state.store.put("customer", customer)
    if before != customer:
        state.emit("customer.updated", customer, changed(before, customer))
    return customer


def find_method(state: State, method_id: str, param: str = "payment_method") -> Json:
    """Give a stored payment method, or a new one for a ready-made id such as pm_card_visa; 404 without either."""
    if is_ready_made(method_id):
        return new_method(state, card_by_token(method_id))
    found = state.store.find("payment_method", method_id)
    if found is None:
        raise missing("PaymentMethod", method_id, param)
    return found


def method_to_charge(state: State, method_id: str | None, customer: str | None) -> Json:
    """Give the payment method that is to pay; 400 without any, and for one that is another customer's."""
    if method_id is None:
        raise no_method()
    method = find_method(state, method_id)
    if method["customer"] is not None and method["customer"] != customer:
        raise invalid("The payment method belongs to another customer.", "payment_method")
    return method


def own_method(state: State, method_id: str, customer: str, param: str) -> Json:
    """Give a payment method that is attached to the customer; 400 for any other."""
    method = find_method(state, method_id, param)
    if method["customer"] != customer:
        raise invalid("The payment method must be attached to the customer.", param)
    return method


def no_method() -> StripeError:
    """A customer who has no card to charge."""
    return invalid(
        "This customer has no attached payment source or default payment method. Please consider adding a default "
        "payment method.",
        code="resource_missing",
    )


def is_authenticated(method: Json) -> bool:
    """Whether the card was authenticated and does not ask for 3-D Secure every time."""
    return bool(method.get("_authenticated")) and method["_number"] not in ASKS_ALWAYS


def remember_authentication(state: State, method: Json) -> None:
    method["_authenticated"] = True
    state.store.put("payment_method", method)


def _card_fields(card: Card) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": f"sandbox{card.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


ASKS_ALWAYS = {"4000002760003184"}
EMPTY_ADDRESS: Json = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
