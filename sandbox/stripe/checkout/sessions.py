"""Checkout sessions: how one is made, shown and ended (S2)."""

from sandbox.stripe.checkout.items import read_items
from sandbox.stripe.clock import Work, due
from sandbox.stripe.engine.taxes import tax_of, tax_rate
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import random_text
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

KIND = "checkout.session"
SHORTEST, LONGEST = 30 * 60, 24 * 3600  # seconds that a session stays open
UNSUPPORTED = (
    "customer_account",
    "custom_fields",
    "discounts",
    "optional_items",
    "payment_method_configuration",
    "return_url",
    "shipping_address_collection",
    "shipping_options",
)
SWITCHES = ("adaptive_pricing", "automatic_tax", "invoice_creation", "phone_number_collection", "tax_id_collection")
SUBSCRIPTION_DATA = {"description", "metadata", "trial_end", "trial_period_days", "trial_settings", "billing_mode"}
PAYMENT_DATA = {"description", "metadata", "receipt_email", "setup_future_usage", "transfer_group"}


def open_session(state: State, parameters: Json) -> Json:
    """Make a session from checked parameters; 400 for what the sandbox's Checkout cannot do."""
    _check_supported(parameters)
    customer = _customer(state, parameters)
    mode = parameters.get("mode") or "payment"
    more = parameters.get("subscription_data") or {}
    trial = "trial_end" in more or "trial_period_days" in more
    items = read_items(state, mode, parameters.get("line_items") or [], trial=trial)
    now = state.clock.now()
    session_id = f"cs_test_{random_text(58)}"
    subtotal = sum(item["amount_total"] for item in items)
    tax = _tax(state, mode, subtotal, customer)
    total = subtotal + tax
    session: Json = EMPTY | {
        "id": session_id,
        "amount_subtotal": subtotal if items else None,
        "amount_total": total if items else None,
        "created": now,
        "currency": items[0]["currency"] if items else parameters.get("currency"),
        "customer": customer["id"] if customer else None,
        "customer_creation": None if customer else _customer_creation(mode, parameters),
        "customer_details": _customer_details(customer, parameters.get("customer_email")),
        "expires_at": _expires_at(parameters, now),
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "mode": mode,
        "payment_status": "no_payment_required" if not total else "unpaid",
        "saved_payment_method_options": _saved_options(mode, customer),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": tax} if items else None,
        "url": f"{state.base_url}/c/pay/{session_id}",
        "_customer_update": parameters.get("customer_update") or {},
        "_items": items,
        "_data": more or parameters.get("payment_intent_data") or parameters.get("setup_intent_data") or {},
    }
    session |= {name: parameters[name] for name in COPIED if name in parameters}
    return state.store.put(KIND, session)


def _tax(state: State, mode: str, subtotal: int, customer: Json | None) -> int:
    """On top of a subscription's prices; credits are sold without."""
    rate = tax_rate(state, customer["id"] if customer else None) if mode == "subscription" else None
    return tax_of(rate, subtotal) if rate else 0


def end_session(state: State, session: Json) -> Json:
    """Close a session that nobody completed."""
    session |= {"status": "expired", "url": None}
    state.store.put(KIND, session)
    state.emit("checkout.session.expired", session)
    return session


@due
def next_to_expire(state: State, test_clock: str | None) -> tuple[int, Work] | None:
    """The open session whose time is up first; sessions live on the sandbox's own clock."""
    if test_clock is not None:
        return None
    waiting = state.store.where(KIND, status="open")
    first = min(waiting, key=lambda session: int(session["expires_at"]), default=None)
    if first is None:
        return None
    return int(first["expires_at"]), lambda: _expire(state, first["id"])


def _expire(state: State, session_id: str) -> None:
    end_session(state, state.store.get(KIND, session_id))


def _check_supported(parameters: Json) -> None:
    for name in UNSUPPORTED:
        if parameters.get(name):
            raise invalid(f"The sandbox's Checkout does not know `{name}`.", name)
    for name in SWITCHES:
        if (parameters.get(name) or {}).get("enabled"):
            raise invalid(f"The sandbox's Checkout does not know `{name}`.", name)
    if parameters.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("The sandbox has hosted pages only.", "ui_mode")
    if set(parameters.get("payment_method_types") or ["card"]) != {"card"}:
        raise invalid("The sandbox takes cards only.", "payment_method_types")
    if not parameters.get("success_url"):
        raise invalid("You must provide `success_url` for a hosted page.", "success_url", "parameter_missing")
    for name, known in (("subscription_data", SUBSCRIPTION_DATA), ("payment_intent_data", PAYMENT_DATA)):
        if odd := set(parameters.get(name) or {}) - known:
            raise invalid(f"The sandbox's Checkout does not know `{name}[{min(odd)}]`.", name)
    _check_mode_data(parameters)


def _check_mode_data(parameters: Json) -> None:
    mode = parameters.get("mode") or "payment"
    modes = {"subscription_data": "subscription", "payment_intent_data": "payment", "setup_intent_data": "setup"}
    for name, only in modes.items():
        if name in parameters and mode != only:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if mode == "subscription" and "customer_creation" in parameters:
        raise invalid("`customer_creation` can only be used in `payment` and `setup` mode.", "customer_creation")


def _customer(state: State, parameters: Json) -> Json | None:
    if "customer" not in parameters:
        if "customer_update" in parameters:
            raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
        return None
    for name in ("customer_email", "customer_creation"):
        if name in parameters:
            raise invalid(f"You may only specify one of these parameters: customer, {name}.", name)
    return state.store.get("customer", parameters["customer"], "customer")


def _customer_creation(mode: str, parameters: Json) -> str:
    default = "always" if mode == "subscription" else "if_required"
    return str(parameters.get("customer_creation", default))


def _customer_details(customer: Json | None, email: str | None) -> Json | None:
    if customer is None and email is None:
        return None
    return customer_details((customer or {}).get("email") or email, (customer or {}).get("name"))


def customer_details(email: str | None, name: str | None) -> Json:
    """What is known of the buyer."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "address": address,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _saved_options(mode: str, customer: Json | None) -> Json | None:
    if customer is None or mode == "setup":
        return None
    return {
        "allow_redisplay_filters": ["always"],
        "payment_method_remove": "disabled",
        "payment_method_save": None,
    }


def _expires_at(parameters: Json, now: int) -> int:
    at = int(parameters.get("expires_at", now + LONGEST))
    if at < now + SHORTEST - 60:  # a minute for the way here
        raise invalid("`expires_at` must be at least 30 minutes after the session is created.", "expires_at")
    if at > now + LONGEST + 60:
        raise invalid("`expires_at` must be at most 24 hours after the session is created.", "expires_at")
    return at


COPIED = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "locale",
    "payment_method_collection",
    "submit_type",
    "success_url",
)
EMPTY: Json = {
    "object": KIND,
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "branding_settings": {
        "background_color": "#ffffff",
        "border_style": "rounded",
        "button_color": "#14604a",
        "display_name": PLATFORM_NAME,
        "font_family": "default",
        "icon": None,
        "logo": None,
    },
    "cancel_url": None,
    "client_reference_id": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
    "customer_account": None,
    "customer_email": None,
    "discounts": [],
    "invoice": None,
    "invoice_creation": None,
    "livemode": False,
    "locale": None,
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": "always",
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "submit_type": None,
    "subscription": None,
    "success_url": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}
