"""Changing a subscription's items: what is prorated, what is invoiced at once (P10, K11)."""

import copy
from decimal import Decimal

from sandbox.stripe.engine.amounts import price_amount
from sandbox.stripe.engine.anchors import boundary_before
from sandbox.stripe.engine.drafts import draft_invoice, take_pending
from sandbox.stripe.engine.items import (
    add_one_time,
    holdings,
    lay_out,
    licensed_line,
    new_item,
    read_recurring,
    store_pending,
)
from sandbox.stripe.engine.lifecycle import store_subscription
from sandbox.stripe.engine.lines import proration_item
from sandbox.stripe.engine.metering import is_metered, metered_line
from sandbox.stripe.engine.proration import Holding, Proration, prorate
from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

INTERVAL = ("interval", "interval_count")


def compose_change(state: State, subscription: Json, parameters: Json) -> Json | None:
    """Change the items as asked, leave prorations waiting, and draft the invoice that is due at once, if any.

    `parameters` are `items`, `proration_behavior`, `proration_date`, `billing_cycle_anchor`, `add_invoice_items`.
    A new interval, the step from free to paid and billing_cycle_anchor=now start the billing cycle anew. The
    subscription is stored.
    """
    now = state.now(subscription)
    behavior = parameters.get("proration_behavior", "create_prorations")
    at = _proration_time(subscription, parameters, now)
    before = copy.deepcopy(subscription)
    removed_usage = _change_items(state, subscription, parameters.get("items") or [], now)
    add_one_time(state, subscription, parameters.get("add_invoice_items") or [], at=now)
    anew = parameters.get("billing_cycle_anchor") == "now" or _starts_anew(before, subscription)
    lines: list[Json] = removed_usage
    if anew and subscription["status"] != "trialing":
        _leave(state, before, _credits(before, at, behavior), now)
        lines = removed_usage + _begin_cycle(state, before, subscription, now)
    elif behavior != "none" and subscription["status"] != "trialing":
        _leave(state, subscription, prorate(holdings(before), holdings(subscription), at), now)
    store_subscription(state, subscription)
    if not lines and not (behavior == "always_invoice" and _changes_items(parameters)):
        return None
    return _invoice(state, subscription, lines, now)


def _changes_items(parameters: Json) -> bool:
    return bool(parameters.get("items") or parameters.get("add_invoice_items"))


def _proration_time(subscription: Json, parameters: Json, now: int) -> int:
    at = int(parameters.get("proration_date", now))
    anchor = subscription["billing_cycle_anchor"]
    for item in subscription["items"]["data"]:
        end = item["current_period_end"]
        start = min(item["current_period_start"], boundary_before(anchor, item["price"]["recurring"], end))
        if "proration_date" in parameters and not start <= at <= end:
            raise invalid("The proration date must be within the current billing period.", "proration_date")
    return at


def _change_items(state: State, subscription: Json, entries: list[Json], now: int) -> list[Json]:
    """Apply the entries; gives the lines of usage that went with removed metered items."""
    rows: list[Json] = subscription["items"]["data"]
    usage: list[Json] = []
    for number, entry in enumerate(entries):
        param = f"items[{number}]"
        if "id" not in entry:
            rows.append(_added(state, subscription, entry, param, now))
            continue
        row = next((row for row in rows if row["id"] == entry["id"]), None)
        if row is None:
            raise missing("subscription_item", entry["id"], f"{param}[id]")
        if entry.get("deleted"):
            usage += _removed(state, subscription, row, entry, now)
            rows.remove(row)
        else:
            _alter(state, row, entry, param)
    if not rows:
        raise invalid("A subscription must have at least one item: cancel it instead.", "items")
    _check_unique(rows)
    return usage


def _added(state: State, subscription: Json, entry: Json, param: str, now: int) -> Json:
    price = read_recurring(state, entry, param)
    if price["currency"] != subscription["currency"]:
        raise invalid("All prices on a subscription must have the same currency.", f"{param}[price]")
    row = new_item(subscription, price, entry, at=now)
    lay_out(row, subscription["billing_cycle_anchor"], start=now)
    return row


def _removed(state: State, subscription: Json, row: Json, entry: Json, now: int) -> list[Json]:
    state.store.delete("subscription_item", row["id"])
    if not is_metered(row["price"]) or entry.get("clear_usage"):
        return []
    line = metered_line(state, subscription, row, end=now, last=True)
    return [line] if line["amount"] else []


def _alter(state: State, row: Json, entry: Json, param: str) -> None:
    row["metadata"] = merged_metadata(row["metadata"], entry.get("metadata"))
    if "price" in entry or "price_data" in entry:
        row["price"] = read_recurring(state, entry, param)
    if is_metered(row["price"]):
        row.pop("quantity", None)
    else:
        row["quantity"] = entry.get("quantity", row.get("quantity", 1))


def _check_unique(rows: list[Json]) -> None:
    prices = [row["price"]["id"] for row in rows]
    for price in prices:
        if prices.count(price) > 1:
            raise invalid(f"Cannot add multiple subscription items with the same price: {price}", "items")


def _starts_anew(before: Json, after: Json) -> bool:
    intervals = {row["id"]: _interval(row) for row in before["items"]["data"]}
    if any(intervals.get(row["id"], _interval(row)) != _interval(row) for row in after["items"]["data"]):
        return True
    return _licensed_amount(before) == 0 and _licensed_amount(after) > 0


def _interval(row: Json) -> tuple[object, ...]:
    return tuple(row["price"]["recurring"][name] for name in INTERVAL)


def _licensed_amount(subscription: Json) -> int:
    return sum(price_amount(held.price, Decimal(held.quantity)) for held in holdings(subscription))


def _credits(before: Json, at: int, behavior: str) -> list[Proration]:
    """What is unused of the old cycle; free items leave nothing to credit."""
    held: list[Holding] = [] if behavior == "none" else holdings(before)
    return [line for line in prorate(held, [], at) if line.amount]


def _begin_cycle(state: State, before: Json, subscription: Json, now: int) -> list[Json]:
    """Let every item's period begin now; gives the lines: usage counted so far, and the new periods."""
    metered = {row["id"] for row in subscription["items"]["data"] if is_metered(row["price"])}
    lines = [metered_line(state, before, row, end=now) for row in before["items"]["data"] if row["id"] in metered]
    lines = [line for line in lines if line["amount"]]
    subscription["billing_cycle_anchor"] = now
    for row in subscription["items"]["data"]:
        lay_out(row, now, start=now)
    return lines + [licensed_line(state, row) for row in subscription["items"]["data"] if row["id"] not in metered]


def _leave(state: State, subscription: Json, prorations: list[Proration], now: int) -> None:
    for line in prorations:
        credited = _credited_line(state, subscription, line) if line.is_credit else None
        store_pending(state, proration_item(state, subscription, line, at=now, credited=credited))


def _credited_line(state: State, subscription: Json, proration: Proration) -> Json | None:
    """The newest invoiced line of the item that the credit gives back."""
    for invoice in state.store.where("invoice", customer=subscription["customer"]):
        for line in invoice["lines"]["data"]:
            details = line["parent"]["subscription_item_details"]
            if details and details["subscription_item"] == proration.holding.item and line["amount"] > 0:
                return {"invoice": invoice["id"], "invoice_line_items": [line["id"]]}
    return None


def _invoice(state: State, subscription: Json, lines: list[Json], now: int) -> Json:
    customer, currency = state.store.get("customer", subscription["customer"]), subscription["currency"]
    pending = take_pending(state, customer["id"], currency=currency, subscription=subscription["id"])
    invoice = draft_invoice(
        state,
        customer=customer,
        currency=currency,
        lines=pending + lines,
        reason="subscription_update",
        at=now,
        subscription=subscription,
    )
    subscription["latest_invoice"] = invoice["id"]
    store_subscription(state, subscription)
    return invoice
