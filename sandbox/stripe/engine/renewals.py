"""What time brings to subscriptions: new periods, ends, and money asked for again."""

import copy
from functools import partial

from sandbox.stripe.clock import Work, due
from sandbox.stripe.engine.anchors import boundary_after
from sandbox.stripe.engine.cancelling import finish_subscription
from sandbox.stripe.engine.collecting import collect
from sandbox.stripe.engine.drafts import draft_invoice, take_pending
from sandbox.stripe.engine.invoicing import finalize_invoice, void_invoice, write_off_invoice
from sandbox.stripe.engine.items import licensed_line
from sandbox.stripe.engine.lifecycle import (
    LIVE,
    announce_update,
    due_at,
    expire_incomplete,
    get_subscription,
    store_subscription,
)
from sandbox.stripe.engine.metering import is_metered, metered_line
from sandbox.stripe.engine.payments import pay_invoice
from sandbox.stripe.errors import StripeError
from sandbox.stripe.state import State
from sandbox.stripe.values import Json


@due
def next_step(state: State, test_clock: str | None) -> tuple[int, Work] | None:
    """Give the subscription that is due first on a clock, and what is to be done with it."""
    first = state.store.earliest("subscription", "_due", test_clock=test_clock)
    return (first["_due"], partial(_step, state, first["id"])) if first else None


@due
def next_retry(state: State, test_clock: str | None) -> tuple[int, Work] | None:
    """Give the invoice that is to be asked for first: a draft that advances by itself, or an open one again."""
    first = state.store.earliest("invoice", "next_payment_attempt", test_clock=test_clock)
    return (first["next_payment_attempt"], partial(_retry, state, first["id"])) if first else None


def renew_subscription(state: State, subscription: Json, at: int) -> Json:
    """Begin the next period of what has ended by then, bill it and collect. Gives the invoice."""
    before = copy.deepcopy(subscription)
    invoice = compose_renewal(state, subscription, at)
    announce_update(state, before, subscription)
    pause = subscription["pause_collection"]
    if pause is None:
        return collect(state, invoice, behavior="allow_incomplete")
    return _paused(state, invoice, pause["behavior"])


def compose_renewal(state: State, subscription: Json, at: int) -> Json:
    """Draft the invoice of a renewal: what waits, what was used, the next period in advance. Stores both."""
    rows = [row for row in subscription["items"]["data"] if row["current_period_end"] <= at]
    start = min(row["current_period_start"] for row in rows)
    lines = [metered_line(state, subscription, row, end=at) for row in rows if is_metered(row["price"])]
    for row in rows:
        row["current_period_start"] = row["current_period_end"]
        recurring = row["price"]["recurring"]
        row["current_period_end"] = boundary_after(subscription["billing_cycle_anchor"], recurring, at)
    lines += [licensed_line(state, row) for row in rows if not is_metered(row["price"])]
    customer, currency = state.store.get("customer", subscription["customer"]), subscription["currency"]
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = draft_invoice(
        state,
        customer=customer,
        currency=currency,
        lines=take_pending(state, customer["id"], currency=currency, subscription=subscription["id"]) + lines,
        reason="subscription_cycle",
        at=at,
        subscription=subscription,
        period=(start, at),
    )
    subscription["latest_invoice"] = invoice["id"]
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = max(row["current_period_end"] for row in subscription["items"]["data"])
    store_subscription(state, subscription)
    return invoice


def _step(state: State, subscription_id: str) -> None:
    subscription = get_subscription(state, subscription_id)
    when, end = due_at(subscription), subscription["cancel_at"]
    if subscription["status"] == "incomplete":
        expire_incomplete(state, subscription)
    elif end is not None and end == when:
        finish_subscription(state, subscription)
    elif when is not None and subscription["status"] in LIVE:
        renew_subscription(state, subscription, when)


def _retry(state: State, invoice_id: str) -> None:
    invoice = state.store.get("invoice", invoice_id)
    if invoice["status"] == "draft":
        collect(state, invoice | {"next_payment_attempt": None}, behavior="allow_incomplete")
        return
    try:
        pay_invoice(state, invoice, payment_method=None)
    except StripeError:
        return  # the failure is written down where it happened


def _paused(state: State, invoice: Json, behavior: str) -> Json:
    match behavior:
        case "keep_as_draft":
            return invoice
        case "void":
            finalized = finalize_invoice(state, invoice)
            return void_invoice(state, finalized) if finalized["status"] == "open" else finalized
        case _:
            finalized = finalize_invoice(state, invoice)
            return write_off_invoice(state, finalized) if finalized["status"] == "open" else finalized
