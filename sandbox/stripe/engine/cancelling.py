"""Ending a subscription: at once, at a period's end, or at a date (P10)."""

import copy

from sandbox.stripe.engine.collecting import collect
from sandbox.stripe.engine.drafts import draft_invoice, take_pending
from sandbox.stripe.engine.items import holdings, store_pending
from sandbox.stripe.engine.lifecycle import ENDED, end_subscription, get_subscription, store_subscription
from sandbox.stripe.engine.lines import proration_item
from sandbox.stripe.engine.metering import is_metered, metered_line
from sandbox.stripe.engine.proration import prorate
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

REASON = "cancellation_requested"


def cancel_subscription(state: State, subscription: Json, *, prorate_unused: bool, invoice_now: bool) -> Json:
    """End it now: on request crediting the unused time and billing what is counted and waiting. 400 if it has ended."""
    require_running(subscription)
    invoice = compose_final(state, subscription, prorate_unused=prorate_unused, invoice_now=invoice_now)
    if invoice:
        subscription["latest_invoice"] = invoice["id"]
        store_subscription(state, subscription)
        collect(state, invoice, behavior="allow_incomplete")
        subscription = get_subscription(state, subscription["id"])
    return end_subscription(state, subscription, reason=REASON)


def finish_subscription(state: State, subscription: Json) -> None:
    """End it where its `cancel_at` is reached, billing what was counted until then."""
    cancel_subscription(state, subscription, prorate_unused=False, invoice_now=True)


def compose_final(state: State, subscription: Json, *, prorate_unused: bool, invoice_now: bool) -> Json | None:
    """Draft the last invoice; None where nothing is to be billed."""
    now = state.now(subscription)
    if prorate_unused and subscription["status"] != "trialing":
        for line in prorate(holdings(subscription), [], now):
            store_pending(state, proration_item(state, subscription, line, at=now, credited=None))
    if not invoice_now:
        return None
    metered = [item for item in subscription["items"]["data"] if is_metered(item["price"])]
    lines = [metered_line(state, subscription, item, end=now, last=True) for item in metered]
    lines = [line for line in lines if line["amount"]]
    currency, customer = subscription["currency"], state.store.get("customer", subscription["customer"])
    lines = take_pending(state, customer["id"], currency=currency, subscription=subscription["id"]) + lines
    if not lines:
        return None
    return draft_invoice(
        state,
        customer=customer,
        currency=currency,
        lines=lines,
        reason="subscription_cycle" if subscription["cancel_at"] == now else "subscription_update",
        at=now,
        subscription=subscription,
        period=(min(item["current_period_start"] for item in subscription["items"]["data"]), now),
    )


def plan_end(state: State, subscription: Json, parameters: Json) -> None:
    """Set or take back the planned end that the parameters ask for; the subscription is not stored yet."""
    details = parameters.get("cancellation_details") or {}
    changes = {name: details[name] or None for name in ("comment", "feedback") if name in details}
    subscription["cancellation_details"] = copy.copy(subscription["cancellation_details"]) | changes
    if "cancel_at_period_end" in parameters and "cancel_at" in parameters:
        raise invalid("You may only specify one of cancel_at and cancel_at_period_end.", "cancel_at")
    if "cancel_at_period_end" in parameters:
        at_end = parameters["cancel_at_period_end"]
        _plan(state, subscription, last_period_end(subscription) if at_end else None, at_period_end=at_end)
    elif "cancel_at" in parameters:
        _plan(state, subscription, _instant(state, subscription, parameters["cancel_at"]), at_period_end=False)


def last_period_end(subscription: Json) -> int:
    return int(max(item["current_period_end"] for item in subscription["items"]["data"]))


def require_running(subscription: Json) -> None:
    """400 for a subscription that has ended."""
    if subscription["status"] in ENDED:
        raise has_ended(subscription)


def has_ended(subscription: Json) -> StripeError:
    return invalid(
        f"A subscription whose status is {subscription['status']} cannot be changed.",
        code="resource_missing" if subscription["status"] == "canceled" else None,
    )


def _plan(state: State, subscription: Json, end: int | None, *, at_period_end: bool) -> None:
    planned = end is not None
    subscription |= {
        "cancel_at": end,
        "cancel_at_period_end": at_period_end,
        "canceled_at": state.now(subscription) if planned else None,
    }
    subscription["cancellation_details"] |= {"reason": REASON if planned else None}


def _instant(state: State, subscription: Json, wanted: int | str) -> int | None:
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    match wanted:
        case "":
            return None
        case "min_period_end":
            return int(min(ends))
        case "max_period_end" | "max_billed_until":
            return int(max(ends))
    if int(wanted) <= state.now(subscription):
        raise invalid("cancel_at must be a time in the future.", "cancel_at")
    return int(wanted)
