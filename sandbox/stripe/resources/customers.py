"""Customers."""

from sandbox.stripe.engine.balances import change_customer_balance
from sandbox.stripe.engine.methods import attach_method, find_method
from sandbox.stripe.errors import invalid
from sandbox.stripe.expansion import includable
from sandbox.stripe.ids import new_id, random_text
from sandbox.stripe.internal import perform
from sandbox.stripe.listing import as_list, listed
from sandbox.stripe.platform import DEFAULT_CURRENCY
from sandbox.stripe.routing import Call, route
from sandbox.stripe.search import searched
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, apply, changed, merged_metadata

KIND = "customer"
URL = "/v1/customers"
PLAIN_FIELDS = (
    "description",
    "email",
    "name",
    "phone",
    "tax_exempt",
    "preferred_locales",
    "invoice_prefix",
    "next_invoice_sequence",
)
NAMES = ("business_name", "individual_name")  # absent where unused
ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")
SEARCHABLE = {"created", "email", "metadata", "name", "phone"}


@route("POST", "/v1/customers")
def create(call: Call) -> Json:
    state, parameters = call.state, call.parameters
    if "test_clock" in parameters:
        state.store.get("test_helpers.test_clock", parameters["test_clock"], "test_clock")
    customer = _empty(state, parameters.get("test_clock"))
    _fill(customer, parameters)
    state.store.put(KIND, customer)
    if "payment_method" in parameters:
        attach_method(state, find_method(state, parameters["payment_method"]), customer)
    _fill_invoice_settings(state, customer, parameters.get("invoice_settings", {}))
    state.store.put(KIND, customer)
    state.emit("customer.created", customer)
    return _with_balance(state, customer, parameters)


@route("GET", "/v1/customers/{customer}")
def retrieve(call: Call) -> Json:
    """Also one that was deleted, as the little that is left of it."""
    customer_id = call.arguments["customer"]
    return call.state.store.find("deleted", customer_id) or call.state.store.get(KIND, customer_id, "customer")


@route("POST", "/v1/customers/{customer}")
def update(call: Call) -> Json:
    state = call.state
    customer = state.store.get(KIND, call.arguments["customer"], "customer")
    before = state.store.get(KIND, customer["id"])
    _fill(customer, call.parameters)
    _fill_invoice_settings(state, customer, call.parameters.get("invoice_settings", {}))
    state.store.put(KIND, customer)
    if previous := changed(before, customer):
        state.emit("customer.updated", customer, previous)
    return _with_balance(state, customer, call.parameters)


@route("DELETE", "/v1/customers/{customer}")
def delete(call: Call) -> Json:
    """End the customer's subscriptions at once and let go of the cards."""
    state = call.state
    customer = state.store.get(KIND, call.arguments["customer"], "customer")
    for subscription in state.store.where("subscription", customer=customer["id"]):
        if subscription["status"] not in {"canceled", "incomplete_expired"}:
            template = "/v1/subscriptions/{subscription_exposed_id}"
            perform(state, "DELETE", template, subscription_exposed_id=subscription["id"])
    for method in state.store.where("payment_method", customer=customer["id"]):
        state.store.put("payment_method", method | {"customer": None})
    state.store.delete(KIND, customer["id"])
    gone = state.store.put("deleted", {"id": customer["id"], "object": KIND, "deleted": True})
    state.emit("customer.deleted", customer)
    return gone


@route("GET", "/v1/customers")
def list_customers(call: Call) -> Json:
    filters = {name: call.parameters[name] for name in ("email", "test_clock") if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


@route("GET", "/v1/customers/search")
def search(call: Call) -> Json:
    return searched(call, call.state.store.all(KIND), f"{URL}/search", SEARCHABLE)


@includable(KIND, "sources")
def sources(state: State, customer: Json) -> Json:
    """Cards are payment methods here; none are sources."""
    return as_list([], f"{URL}/{customer['id']}/sources")


@includable(KIND, "subscriptions")
def subscriptions(state: State, customer: Json) -> Json:
    found = state.store.where("subscription", customer=customer["id"])
    living = [subscription for subscription in found if subscription["status"] != "canceled"]
    return as_list(living, f"{URL}/{customer['id']}/subscriptions")


@includable(KIND, "tax")
def tax(state: State, customer: Json) -> Json:
    address = customer["address"] or {}
    status = "supported" if address.get("country") else "unrecognized_location"
    return {"automatic_tax": status, "ip_address": None, "location": None, "provider": "stripe"}


@includable(KIND, "invoice_credit_balance")
def invoice_credit_balance(state: State, customer: Json) -> Json:
    return {customer["currency"]: customer["balance"]} if customer["currency"] else {}


def address_of(given: Json | str | None) -> Json | None:
    """Every field of an address, null where it was not given; null for an empty one."""
    if not isinstance(given, dict):
        return None
    return {name: given.get(name) or None for name in ADDRESS_FIELDS}


def _empty(state: State, test_clock: str | None) -> Json:
    return {
        "id": new_id("cus"),
        "object": KIND,
        "address": None,
        "balance": 0,
        "created": state.now({"test_clock": test_clock}),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": test_clock,
    }


def _fill(customer: Json, parameters: Json) -> None:
    if "source" in parameters or parameters.get("default_source"):
        raise invalid("The sandbox has no sources; attach a payment method.", "source")
    apply(customer, parameters, PLAIN_FIELDS)
    for name in NAMES:
        if parameters.get(name):
            customer[name] = parameters[name]
        elif name in parameters:
            customer.pop(name, None)
    customer["tax_exempt"] = customer["tax_exempt"] or "none"
    customer["metadata"] = merged_metadata(customer["metadata"], parameters.get("metadata"))
    if "address" in parameters:
        customer["address"] = address_of(parameters["address"])
    if "shipping" in parameters:
        customer["shipping"] = _shipping(parameters["shipping"])


def _shipping(given: Json | str) -> Json | None:
    if not isinstance(given, dict):
        return None
    return {"address": address_of(given["address"]), "name": given["name"], "phone": given.get("phone")}


def _fill_invoice_settings(state: State, customer: Json, given: Json) -> None:
    settings = customer["invoice_settings"]
    apply(settings, given, ("custom_fields", "footer", "rendering_options"))
    if "default_payment_method" in given:
        wanted = given["default_payment_method"] or None
        if wanted is not None:
            _require_attached(state, wanted, customer["id"])
        settings["default_payment_method"] = wanted


def _require_attached(state: State, payment_method: str, customer: str) -> None:
    found = state.store.find("payment_method", payment_method)
    if found is None or found["customer"] != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {payment_method}. "
            "The payment method must be attached to the customer.",
            "invoice_settings[default_payment_method]",
            "resource_missing",
        )


def _with_balance(state: State, customer: Json, parameters: Json) -> Json:
    """Set the balance that was asked for; the change is a transaction of its own."""
    if "balance" not in parameters or parameters["balance"] == customer["balance"]:
        return customer
    change = parameters["balance"] - customer["balance"]
    source = {"id": None, "currency": customer["currency"] or DEFAULT_CURRENCY}
    change_customer_balance(state, customer, amount=change, invoice=source, kind="adjustment")
    return state.store.get(KIND, customer["id"])
