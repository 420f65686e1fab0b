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
    ENDED,
    LIVE,
    announce_update,
    expire_incomplete,
    get_subscription,
    store_subscription,
)
from sandbox.stripe.engine.metering import is_metered, metered_line
from sandbox.stripe.engine.payments import pay_invoice
from sandbox.stripe.errors import StripeError
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

INCOMPLETE_FOR = 23 * 3600  # seconds until an unpaid start is given up


@due
def next_step(state: State, test_clock: str | None) -> tuple[int, Work] | None:
    """Give the subscription that is due first on a clock, and what is to be done with it."""
    waiting = [
        (when, subscription["id"])
        for subscription in reversed(state.store.where("subscription", test_clock=test_clock))
        if (when := _due_at(subscription)) is not None
    ]
    if not waiting:
        return None
    when, subscription_id = min(waiting, key=lambda pair: pair[0])
    return when, partial(_step, state, subscription_id)


@due
def next_retry(state: State, test_clock: str | None) -> tuple[int, Work] | None:
    """Give the open invoice that is to be asked for again first."""
    waiting = [
        (invoice["next_payment_attempt"], invoice["id"])
        for invoice in reversed(state.store.where("invoice", test_clock=test_clock, status="open"))
        if invoice["next_payment_attempt"] is not None
    ]
    if not waiting:
        return None
    when, invoice_id = min(waiting, key=lambda pair: int(pair[0]))
    return when, partial(_retry, state, invoice_id)


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


def next_renewal(subscription: Json) -> int:
    """When the first of its periods ends."""
    return int(min(row["current_period_end"] for row in subscription["items"]["data"]))


def _due_at(subscription: Json) -> int | None:
    if subscription["status"] in ENDED or subscription["status"] == "paused":
        return None
    if subscription["status"] == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_FOR
    end = subscription["cancel_at"]
    renewal = next_renewal(subscription)
    return renewal if end is None else min(int(end), renewal)


def _step(state: State, subscription_id: str) -> None:
    subscription = get_subscription(state, subscription_id)
    when, end = _due_at(subscription), subscription["cancel_at"]
    if subscription["status"] == "incomplete":
        expire_incomplete(state, subscription)
    elif end is not None and end == when:
        finish_subscription(state, subscription)
    elif when is not None and subscription["status"] in LIVE:
        renew_subscription(state, subscription, when)


def _retry(state: State, invoice_id: str) -> None:
    try:
        pay_invoice(state, state.store.get("invoice", invoice_id), payment_method=None)
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
