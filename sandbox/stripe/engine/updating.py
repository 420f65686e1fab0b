"""Updating a subscription: its plain fields, its planned end, its trial, its items."""

import copy

from sandbox.stripe.engine.cancelling import last_period_end, plan_end, require_running
from sandbox.stripe.engine.changing import compose_change
from sandbox.stripe.engine.collecting import check_behavior, collect, require_method
from sandbox.stripe.engine.lifecycle import announce_update, get_subscription, store_subscription
from sandbox.stripe.engine.methods import own_method
from sandbox.stripe.engine.subscribing import trial_end
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, apply, merged_metadata

PLAIN = ("collection_method", "days_until_due", "description")


def update_subscription(state: State, subscription: Json, parameters: Json) -> Json:
    """Do what POST /v1/subscriptions/{id} asks; with error_if_incomplete a failed payment takes everything back."""
    require_running(subscription)
    behavior = parameters.get("payment_behavior", "allow_incomplete")
    check_behavior(behavior)
    before = copy.deepcopy(subscription)
    invoice = compose_update(state, subscription, parameters)
    if invoice:
        require_method(state, invoice, behavior, None)
    announce_update(state, before, subscription)
    if invoice:
        collect(state, invoice, behavior=behavior)
    return get_subscription(state, subscription["id"])


def compose_update(state: State, subscription: Json, parameters: Json) -> Json | None:
    """Change everything but collect nothing; gives the invoice that is due at once, if any."""
    apply(subscription, parameters, PLAIN)
    subscription["metadata"] = merged_metadata(subscription["metadata"], parameters.get("metadata"))
    if "default_payment_method" in parameters:
        named = parameters["default_payment_method"]
        method = own_method(state, named, subscription["customer"], "default_payment_method")
        subscription["default_payment_method"] = method["id"]
    if "pause_collection" in parameters:
        pause = parameters["pause_collection"] or None
        subscription["pause_collection"] = {"resumes_at": None} | pause if pause else None
    _save_settings(subscription, parameters)
    _change_trial(state, subscription, parameters)
    invoice = compose_change(state, subscription, parameters)
    plan_end(state, subscription, parameters)
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = last_period_end(subscription)
    store_subscription(state, subscription)
    return invoice


def _save_settings(subscription: Json, parameters: Json) -> None:
    wanted = parameters.get("payment_settings") or {}
    if "save_default_payment_method" in wanted:
        kept = {"save_default_payment_method": wanted["save_default_payment_method"]}
        subscription["payment_settings"] = subscription["payment_settings"] | kept


def _change_trial(state: State, subscription: Json, parameters: Json) -> None:
    """Move the end of a trial; ending it now bills the first period at once."""
    if "trial_end" not in parameters:
        return
    now = state.now(subscription)
    end = trial_end(parameters, now)
    if end is None:
        if subscription["status"] == "trialing":
            subscription |= {"status": "active", "trial_end": now}
            parameters["billing_cycle_anchor"] = "now"
            parameters["proration_behavior"] = "none"
        return
    subscription |= {"status": "trialing", "trial_end": end, "billing_cycle_anchor": end}
    subscription["trial_start"] = subscription["trial_start"] or now
    for row in subscription["items"]["data"]:
        row["current_period_end"] = end
