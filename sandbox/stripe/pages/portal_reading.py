"""What the portal shows of a customer."""

from sandbox.stripe.errors import StripeError
from sandbox.stripe.portal.configurations import KIND as CONFIGURATION
from sandbox.stripe.portal.sessions import GOOD_FOR, KIND
from sandbox.stripe.routing import Call
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

ENDED = {"canceled", "incomplete_expired"}
EXPIRED = "This link has expired. Open your billing page again from where you came."


def portal_session(call: Call) -> tuple[Json, Json]:
    """The session of the path and its configuration's features; 404 for none, 410 for one whose hour is over."""
    session = call.state.store.get(KIND, call.arguments["session"], "session")
    if session["created"] + GOOD_FOR < call.state.clock.now():
        raise StripeError(EXPIRED, status=410)
    features: Json = call.state.store.get(CONFIGURATION, session["configuration"])["features"]
    return session, features


def require(features: Json, name: str) -> None:
    """403 for a part of the portal that its configuration leaves out."""
    if not features[name]["enabled"]:
        raise StripeError("This part of the portal is switched off.", status=403)


def home(session: Json) -> str:
    return f"/p/session/{session['id']}"


def living_subscriptions(state: State, customer_id: str) -> list[Json]:
    found = state.store.where("subscription", customer=customer_id)
    return [subscription for subscription in found if subscription["status"] not in ENDED]


def own_subscription(call: Call, session: Json) -> Json:
    """The subscription of the path; 404 unless it is this customer's and has not ended."""
    subscription = call.state.store.get("subscription", call.arguments["subscription"], "subscription")
    if subscription["customer"] != session["customer"] or subscription["status"] in ENDED:
        raise StripeError("There is no such plan.", status=404)
    return subscription


def paying_card(state: State, customer_id: str) -> Json | None:
    """The payment method that pays: of the newest subscription, else the customer's default."""
    customer = state.store.get("customer", customer_id)
    ids = [each["default_payment_method"] for each in living_subscriptions(state, customer_id)]
    ids.append(customer["invoice_settings"]["default_payment_method"])
    chosen = next((each for each in ids if each), None)
    return state.store.find("payment_method", chosen) if chosen else None


def plan_name(state: State, subscription: Json) -> str:
    """The first licensed product's name."""
    items = sorted(subscription["items"]["data"], key=lambda item: item["price"]["recurring"]["usage_type"])
    product = state.store.find("product", items[0]["price"]["product"]) or {}
    return str(product.get("name") or "Plan")


def period_end(subscription: Json) -> int:
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])
