"""Usage that meters counted, and what it costs when a period closes (S7)."""

from decimal import Decimal

from sandbox.stripe.engine.amounts import price_amount
from sandbox.stripe.engine.lines import item_line
from sandbox.stripe.state import State
from sandbox.stripe.values import Json


def is_metered(price: Json) -> bool:
    return bool(price["recurring"] and price["recurring"]["usage_type"] == "metered")


def aggregate(state: State, meter: Json, customer: str, *, start: int, end: int) -> Decimal:
    """Add up (or count, or take the last of) the customer's events from `start` to before `end`, unix seconds."""
    events = state.store.where("billing.meter_event", _meter=meter["id"], _customer=customer)
    events = [event for event in events if start <= event["timestamp"] < end]
    values = [Decimal(event["_value"]) for event in events]
    match meter["default_aggregation"]["formula"]:
        case "count":
            return Decimal(len(values))
        case "last":
            latest = max(events, key=lambda event: int(event["timestamp"]), default=None)
            return Decimal(latest["_value"]) if latest else Decimal(0)
        case _:
            return sum(values, Decimal(0))


def metered_line(state: State, subscription: Json, item: Json, *, end: int, last: bool = False) -> Json:
    """The line of a metered item for the part of its period before `end`; usage below zero counts as none.

    The `last` line of an item takes along what was counted in this very second: no later period will.
    """
    price, start = item["price"], item["current_period_start"]
    meter = state.store.find("billing.meter", price["recurring"]["meter"] or "")
    until = end + 1 if last else end
    used = aggregate(state, meter, subscription["customer"], start=start, end=until) if meter else Decimal(0)
    quantity = max(used, Decimal(0))
    amount = price_amount(price, quantity)
    return item_line(state, item, quantity=quantity, amount=amount, start=start, end=end)
