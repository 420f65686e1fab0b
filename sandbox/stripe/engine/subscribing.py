"""Starting a subscription: its items, its first invoice, its first payment."""

from sandbox.stripe.engine.anchors import boundary_before
from sandbox.stripe.engine.cancelling import plan_end
from sandbox.stripe.engine.collecting import check_behavior, collect, require_method
from sandbox.stripe.engine.drafts import draft_invoice, take_pending
from sandbox.stripe.engine.items import add_one_time, lay_out, licensed_line, new_item, read_recurring
from sandbox.stripe.engine.lifecycle import announce_update, get_subscription, store_subscription
from sandbox.stripe.engine.metering import is_metered
from sandbox.stripe.engine.methods import own_method
from sandbox.stripe.engine.proration import Holding, remaining_amount
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import as_list
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

DAY = 86_400
COPIED = ("collection_method", "days_until_due", "default_payment_method", "description")


def start_subscription(
    state: State,
    *,
    customer: str,
    items: list[Json],
    metadata: Json,
    payment_method: str | None,
    payment_behavior: str,
    authenticated: bool = False,
    **more: object,
) -> Json:
    """Subscribe a customer and collect the first invoice; `more` are other parameters of the API's operation.

    `payment_method` becomes the subscription's own. Raises 400 for a customer without a card, and with
    error_if_incomplete 402 for a payment that does not succeed: then nothing was done.
    """
    check_behavior(payment_behavior)
    parameters: Json = dict(more)
    if payment_method:
        parameters["default_payment_method"] = payment_method
    subscription, invoice = compose_subscription(
        state, customer=customer, items=items, metadata=metadata, parameters=parameters
    )
    require_method(state, invoice, payment_behavior, None)
    due = invoice["amount_due"] > 0 and subscription["collection_method"] == "charge_automatically"
    subscription["status"] = "incomplete" if due else subscription["status"]
    store_subscription(state, subscription)
    state.emit("customer.subscription.created", subscription)
    invoice = collect(state, invoice, behavior=payment_behavior, authenticated=authenticated)
    return _keep_method(state, invoice, get_subscription(state, subscription["id"]))


def compose_subscription(
    state: State, *, customer: str, items: list[Json], metadata: Json, parameters: Json
) -> tuple[Json, Json]:
    """Store the subscription and draft its first invoice; nothing is collected."""
    owner = state.store.get("customer", customer, "customer")
    now = state.now(owner)
    prices = [read_recurring(state, entry, f"items[{number}]") for number, entry in enumerate(items)]
    _check_prices(prices)
    if "default_payment_method" in parameters:
        own_method(state, parameters["default_payment_method"], customer, "default_payment_method")
    subscription = _new_subscription(owner, prices[0]["currency"], metadata, parameters, now)
    rows = [new_item(subscription, price, entry, at=now) for price, entry in zip(prices, items, strict=True)]
    for row in rows:
        lay_out(row, subscription["billing_cycle_anchor"], start=now)
        if subscription["trial_end"]:
            row["current_period_end"] = subscription["trial_end"]
    subscription["items"] = as_list(rows, f"/v1/subscription_items?subscription={subscription['id']}")
    plan_end(state, subscription, parameters)
    add_one_time(state, subscription, parameters.get("add_invoice_items") or [], at=now)
    store_subscription(state, subscription)
    invoice = _first_invoice(state, owner, subscription, parameters.get("proration_behavior", "create_prorations"))
    subscription["latest_invoice"] = invoice["id"]
    store_subscription(state, subscription)
    return subscription, invoice


def trial_end(parameters: Json, now: int) -> int | None:
    """When the trial ends that the parameters ask for; None without one."""
    end = parameters.get("trial_end")
    if end == "now":
        return None
    if end is None and parameters.get("trial_period_days"):
        return now + int(parameters["trial_period_days"]) * DAY
    if end is not None and end <= now:
        raise invalid("The trial must end in the future.", "trial_end")
    return int(end) if end is not None else None


def _check_prices(prices: list[Json]) -> None:
    if not prices:
        raise invalid("A subscription needs at least one item.", "items", "parameter_missing")
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices on a subscription must have the same currency.", "items", "currency_mismatch")


def _new_subscription(owner: Json, currency: str, metadata: Json, parameters: Json, now: int) -> Json:
    trial = trial_end(parameters, now)
    subscription_id = new_id("sub")
    subscription: Json = EMPTY_SUBSCRIPTION | {
        "id": subscription_id,
        "billing_cycle_anchor": parameters.get("billing_cycle_anchor") or trial or now,
        "cancel_at_period_end": False,
        "created": now,
        "currency": currency,
        "customer": owner["id"],
        "metadata": merged_metadata({}, metadata),
        "start_date": now,
        "status": "trialing" if trial else "active",
        "test_clock": owner.get("test_clock"),
        "trial_end": trial,
        "trial_start": now if trial else None,
    }
    subscription |= {name: parameters[name] for name in COPIED if parameters.get(name) is not None}
    wanted = parameters.get("payment_settings") or {}
    subscription["payment_settings"] = subscription["payment_settings"] | {
        name: wanted[name] for name in ("save_default_payment_method",) if name in wanted
    }
    return subscription


def _first_invoice(state: State, owner: Json, subscription: Json, proration_behavior: str) -> Json:
    rows = [row for row in subscription["items"]["data"] if not is_metered(row["price"])]
    lines = [licensed_line(state, row, amount=_first_amount(subscription, row)) for row in rows]
    if proration_behavior == "none" and subscription["billing_cycle_anchor"] > subscription["created"]:
        lines = []
    currency = subscription["currency"]
    lines += take_pending(state, owner["id"], currency=currency, subscription=subscription["id"])
    return draft_invoice(
        state,
        customer=owner,
        currency=currency,
        lines=lines,
        reason="subscription_create",
        at=subscription["created"],
        subscription=subscription,
    )


def _first_amount(subscription: Json, row: Json) -> int:
    """What the time to the first boundary costs: all of it, or a share where the anchor lies elsewhere."""
    if subscription["trial_end"]:
        return 0
    start, end = row["current_period_start"], row["current_period_end"]
    whole = boundary_before(subscription["billing_cycle_anchor"], row["price"]["recurring"], end)
    return remaining_amount(Holding(row["id"], row["price"], row["quantity"], whole, end), start)


def _keep_method(state: State, invoice: Json, subscription: Json) -> Json:
    """With save_default_payment_method the card that paid stays the subscription's."""
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return subscription
    payment = next(iter(state.store.where("invoice_payment", invoice=invoice["id"], status="paid")), None)
    if payment and subscription["default_payment_method"] is None:
        before = dict(subscription)
        intent = state.store.get("payment_intent", payment["_intent"])
        subscription["default_payment_method"] = intent["payment_method"]
        announce_update(state, before, subscription)
    return subscription


EMPTY_SUBSCRIPTION: Json = {
    "object": "subscription",
    "application": None,
    "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor_config": None,
    "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
    "billing_schedules": [],
    "billing_thresholds": None,
    "cancel_at": None,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "collection_method": "charge_automatically",
    "customer_account": None,
    "days_until_due": None,
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "ended_at": None,
    "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
    "latest_invoice": None,
    "livemode": False,
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "transfer_data": None,
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
}
