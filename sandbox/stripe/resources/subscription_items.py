"""Subscription items: each operation is an update of the subscription."""

from sandbox.stripe.engine.lifecycle import get_subscription
from sandbox.stripe.engine.updating import update_subscription
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

KIND = "subscription_item"
URL = "/v1/subscription_items"
OF_UPDATE = ("payment_behavior", "proration_behavior", "proration_date")
OF_ITEM = ("price", "price_data", "quantity", "metadata", "clear_usage")


@route("POST", "/v1/subscription_items")
def create(call: Call) -> Json:
    """A new item is the last one."""
    return _update(call, call.parameters["subscription"], {})[-1]


@route("GET", "/v1/subscription_items/{item}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["item"], "item")


@route("POST", "/v1/subscription_items/{item}")
def update(call: Call) -> Json:
    item = call.state.store.get(KIND, call.arguments["item"], "item")
    _update(call, item["subscription"], {"id": item["id"]})
    return call.state.store.get(KIND, item["id"])


@route("DELETE", "/v1/subscription_items/{item}")
def delete(call: Call) -> Json:
    item = call.state.store.get(KIND, call.arguments["item"], "item")
    _update(call, item["subscription"], {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": KIND, "deleted": True}


@route("GET", "/v1/subscription_items")
def list_items(call: Call) -> Json:
    subscription = get_subscription(call.state, call.parameters["subscription"])
    return listed(call, subscription["items"]["data"], URL)


def _update(call: Call, subscription_id: str, entry: Json) -> list[Json]:
    """Give the items after the entry, completed by what the call says, was applied."""
    subscription = get_subscription(call.state, subscription_id)
    item = {name: call.parameters[name] for name in OF_ITEM if name in call.parameters} | entry
    changes = {name: call.parameters[name] for name in OF_UPDATE if name in call.parameters}
    subscription = update_subscription(call.state, subscription, changes | {"items": [item]})
    items: list[Json] = subscription["items"]["data"]
    return items
