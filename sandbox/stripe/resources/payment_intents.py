"""Payment intents."""

from sandbox.stripe.engine.charging import cancel_intent, create_intent
from sandbox.stripe.engine.invoicing import invoice_of_intent
from sandbox.stripe.engine.methods import method_to_charge
from sandbox.stripe.engine.payments import confirm_payment
from sandbox.stripe.errors import card_error, invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.search import searched
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed, merged_metadata, public

KIND = "payment_intent"
URL = "/v1/payment_intents"
COPIED = ("description", "receipt_email", "setup_future_usage", "statement_descriptor", "transfer_group")
SEARCHABLE = {"amount", "created", "currency", "customer", "metadata", "status"}


@route("POST", "/v1/payment_intents")
def create(call: Call) -> Json:
    state, wanted = call.state, call.parameters
    customer = wanted.get("customer")
    if customer:
        state.store.get("customer", customer, "customer")
    fields: Json = {name: wanted[name] for name in COPIED if name in wanted}
    if "payment_method" in wanted:
        fields["payment_method"] = method_to_charge(state, wanted["payment_method"], customer)["id"]
    if "automatic_payment_methods" in wanted:
        fields["automatic_payment_methods"] = {"allow_redirects": "always"} | wanted["automatic_payment_methods"]
    metadata = merged_metadata({}, wanted.get("metadata"))
    amount, currency = wanted["amount"], wanted["currency"].lower()
    intent = create_intent(state, amount=amount, currency=currency, customer=customer, metadata=metadata, **fields)
    return _confirm(state, intent, wanted) if wanted.get("confirm") else intent


@route("GET", "/v1/payment_intents/{intent}")
def retrieve(call: Call) -> Json:
    return _intent(call)


@route("POST", "/v1/payment_intents/{intent}")
def update(call: Call) -> Json:
    before, intent = _intent(call), _intent(call)
    intent |= {name: call.parameters[name] for name in COPIED if name in call.parameters}
    intent["metadata"] = merged_metadata(intent["metadata"], call.parameters.get("metadata"))
    if changed(before, intent):
        call.state.store.put(KIND, intent)
    return intent


@route("POST", "/v1/payment_intents/{intent}/confirm")
def confirm(call: Call) -> Json:
    return _confirm(call.state, _intent(call), call.parameters)


@route("POST", "/v1/payment_intents/{intent}/cancel")
def cancel(call: Call) -> Json:
    intent = _intent(call)
    if invoice_of_intent(call.state, intent):
        raise invalid("This intent belongs to an invoice: void the invoice instead.", "intent")
    return cancel_intent(call.state, intent, reason=call.parameters.get("cancellation_reason"))


@route("GET", "/v1/payment_intents")
def list_intents(call: Call) -> Json:
    filters = {name: call.parameters[name] for name in ("customer",) if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **filters), URL)


@route("GET", "/v1/payment_intents/search")
def search(call: Call) -> Json:
    return searched(call, call.state.store.all(KIND), f"{URL}/search", SEARCHABLE)


def _intent(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["intent"], "intent")


def _confirm(state: State, intent: Json, wanted: Json) -> Json:
    """Off session nobody is there for 3-D Secure: then it is a decline."""
    intent = confirm_payment(state, intent, payment_method=wanted.get("payment_method"))
    if intent["status"] != "requires_action" or not wanted.get("off_session"):
        return intent
    intent |= {"status": "requires_payment_method", "next_action": None}
    state.store.put(KIND, intent)
    code = "authentication_required"
    raise card_error(code, "Your card was declined.", code, keep=True, payment_intent=public(intent))
