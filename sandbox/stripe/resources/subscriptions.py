"""Subscriptions."""

from sandbox.stripe.engine.cancelling import cancel_subscription, plan_end
from sandbox.stripe.engine.lifecycle import ENDED, get_subscription
from sandbox.stripe.engine.subscribing import start_subscription
from sandbox.stripe.engine.updating import update_subscription
from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.search import searched
from sandbox.stripe.values import Json

KIND = "subscription"
URL = "/v1/subscriptions"
ID = "subscription_exposed_id"
SEARCHABLE = {"canceled_at", "created", "metadata", "status"}
FILTERS = ("collection_method", "customer", "test_clock")


@route("POST", "/v1/subscriptions")
def create(call: Call) -> Json:
    more = dict(call.parameters)
    if "customer" not in more:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    return start_subscription(
        call.state,
        customer=more.pop("customer"),
        items=more.pop("items", []),
        metadata=more.pop("metadata", {}),
        payment_method=more.pop("default_payment_method", None),
        payment_behavior=more.pop("payment_behavior", "allow_incomplete"),
        **more,
    )


@route("GET", "/v1/subscriptions/{subscription_exposed_id}")
def retrieve(call: Call) -> Json:
    return get_subscription(call.state, call.arguments[ID])


@route("POST", "/v1/subscriptions/{subscription_exposed_id}")
def update(call: Call) -> Json:
    subscription = get_subscription(call.state, call.arguments[ID])
    return update_subscription(call.state, subscription, dict(call.parameters))


@route("DELETE", "/v1/subscriptions/{subscription_exposed_id}")
def cancel(call: Call) -> Json:
    state, wanted = call.state, call.parameters
    subscription = get_subscription(state, call.arguments[ID])
    plan_end(state, subscription, {"cancellation_details": wanted.get("cancellation_details")})
    prorate, invoice = wanted.get("prorate", False), wanted.get("invoice_now", False)
    return cancel_subscription(state, subscription, prorate_unused=prorate, invoice_now=invoice)


@route("GET", "/v1/subscriptions")
def list_subscriptions(call: Call) -> Json:
    """Without a status those that have not been canceled."""
    wanted = call.parameters
    found = call.state.store.where(KIND, **{name: wanted[name] for name in FILTERS if name in wanted})
    status = wanted.get("status")
    if status is None:
        found = [each for each in found if each["status"] != "canceled"]
    elif status == "ended":
        found = [each for each in found if each["status"] in ENDED]
    elif status != "all":
        found = [each for each in found if each["status"] == status]
    if "price" in wanted:
        found = [each for each in found if _has_price(each, wanted["price"])]
    return listed(call, found, URL)


@route("GET", "/v1/subscriptions/search")
def search(call: Call) -> Json:
    return searched(call, call.state.store.all(KIND), f"{URL}/search", SEARCHABLE)


def _has_price(subscription: Json, price: str) -> bool:
    return any(item["price"]["id"] == price for item in subscription["items"]["data"])
