"""A subscription's state: what payments and time make of it."""

import copy

from sandbox.stripe.engine.drafts import subscription_of
from sandbox.stripe.engine.invoicing import void_invoice
from sandbox.stripe.errors import missing
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed

ENDED = {"canceled", "incomplete_expired"}
LIVE = {"active", "past_due", "trialing", "unpaid"}
INCOMPLETE_FOR = 23 * 3600  # seconds until an unpaid start is given up


def get_subscription(state: State, subscription_id: str) -> Json:
    """Give the subscription, or the API's 404."""
    subscription = state.store.find("subscription", subscription_id)
    if subscription is None:
        raise missing("subscription", subscription_id, "subscription")
    return subscription


def subscription_of_invoice(state: State, invoice: Json) -> Json | None:
    """Give the subscription that an invoice belongs to."""
    found = subscription_of(invoice)
    return state.store.find("subscription", found) if found else None


def store_subscription(state: State, subscription: Json) -> None:
    """Write the subscription and its items, and when something is next due for it."""
    state.store.put("subscription", subscription | {"_due": due_at(subscription)})
    for item in subscription["items"]["data"]:
        state.store.put("subscription_item", item)


def due_at(subscription: Json) -> int | None:
    """When its first unpaid invoice expires, its first period ends or it ends as planned; None after its end."""
    if subscription["status"] in ENDED or subscription["status"] == "paused":
        return None
    if subscription["status"] == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_FOR
    renewal, end = next_renewal(subscription), subscription["cancel_at"]
    return renewal if end is None else min(int(end), renewal)


def next_renewal(subscription: Json) -> int:
    """When the first of its periods ends."""
    return int(min(row["current_period_end"] for row in subscription["items"]["data"]))


def announce_update(state: State, before: Json, subscription: Json) -> None:
    """Write the subscription, and say so if it differs from what it was."""
    store_subscription(state, subscription)
    previous = changed(before, subscription)
    if previous:
        state.emit("customer.subscription.updated", subscription, previous)


def note_payment(state: State, invoice: Json) -> None:
    """After an invoice was paid: what waited for the money goes on."""
    overdue = _overdue(state, invoice["customer"])
    _set_delinquent(state, invoice["customer"], delinquent=bool(overdue))
    subscription = subscription_of_invoice(state, invoice)
    if subscription is None or subscription["status"] not in {"incomplete", "past_due", "unpaid"}:
        return
    if _owes(state, subscription):
        return
    before = copy.deepcopy(subscription)
    subscription["status"] = "trialing" if _is_in_trial(state, subscription) else "active"
    announce_update(state, before, subscription)


def note_arrears(state: State, invoice: Json) -> None:
    """After an attempt to collect a running subscription's invoice failed."""
    subscription = subscription_of_invoice(state, invoice)
    if subscription is None or subscription["status"] not in {"active", "trialing"}:
        return
    _set_delinquent(state, invoice["customer"], delinquent=True)
    before = copy.deepcopy(subscription)
    subscription["status"] = "past_due"
    announce_update(state, before, subscription)


def end_subscription(state: State, subscription: Json, *, reason: str) -> Json:
    """End it now; `reason` says why in `cancellation_details`. What is open stays open, but nobody asks again."""
    now = state.now(subscription)
    subscription |= {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    details = subscription["cancellation_details"]
    subscription["cancellation_details"] = details | {"reason": details["reason"] or reason}
    store_subscription(state, subscription)
    for invoice in open_invoices(state, subscription):
        invoice |= {"next_payment_attempt": None, "auto_advance": False}
        state.store.put("invoice", invoice)
    state.emit("customer.subscription.deleted", subscription)
    return subscription


def expire_incomplete(state: State, subscription: Json) -> None:
    """Close a subscription whose first invoice was not paid in time."""
    before = copy.deepcopy(subscription)
    subscription |= {"status": "incomplete_expired", "ended_at": state.now(subscription)}
    for invoice in open_invoices(state, subscription):
        void_invoice(state, invoice)
    announce_update(state, before, subscription)


def open_invoices(state: State, subscription: Json) -> list[Json]:
    """Give what the subscription's customer has not paid yet for it, the newest first."""
    invoices = state.store.where("invoice", customer=subscription["customer"], status="open")
    return [invoice for invoice in invoices if subscription_of(invoice) == subscription["id"]]


def _overdue(state: State, customer: str) -> list[Json]:
    """What the customer was asked for in vain."""
    invoices = state.store.where("invoice", customer=customer, status="open")
    return [invoice for invoice in invoices if invoice["attempted"] and subscription_of(invoice)]


def _set_delinquent(state: State, customer_id: str, *, delinquent: bool) -> None:
    customer = state.store.get("customer", customer_id)
    if customer["delinquent"] is not delinquent:
        before = dict(customer)
        customer["delinquent"] = delinquent
        state.store.put("customer", customer)
        state.emit("customer.updated", customer, changed(before, customer))


def _owes(state: State, subscription: Json) -> bool:
    latest = subscription["latest_invoice"]
    return any(invoice["id"] == latest for invoice in open_invoices(state, subscription))


def _is_in_trial(state: State, subscription: Json) -> bool:
    return bool(subscription["trial_end"] and subscription["trial_end"] > state.now(subscription))
