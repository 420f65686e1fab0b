"""The items of a subscription: prices read, periods laid out."""

from decimal import Decimal

from sandbox.stripe.engine.amounts import price_amount
from sandbox.stripe.engine.anchors import boundary_after, boundary_before
from sandbox.stripe.engine.lines import invoice_item, item_line, pricing, subscription_parent
from sandbox.stripe.engine.metering import is_metered
from sandbox.stripe.engine.proration import Holding
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.internal import perform
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata


def read_price(state: State, entry: Json, param: str) -> Json:
    """Give the price that a request names or describes; 404 or 400 without one."""
    if "price_data" in entry:
        return stored_price(state, perform(state, "POST", "/v1/prices", entry["price_data"])["id"], param)
    if "price" not in entry:
        raise invalid("Each item needs a price.", f"{param}[price]", "parameter_missing")
    price = stored_price(state, entry["price"], param)
    if not price["active"] and not entry.get("_offered"):  # Checkout sells what it offered while it was active
        raise invalid(f"The price specified is inactive: {price['id']}", f"{param}[price]", "price_inactive")
    return price


def stored_price(state: State, price_id: str, param: str) -> Json:
    return state.store.get("price", price_id, f"{param}[price]")


def read_recurring(state: State, entry: Json, param: str) -> Json:
    """Give the entry's price; 400 for one that does not recur, and for a quantity where a meter counts."""
    price = read_price(state, entry, param)
    if price["type"] != "recurring":
        raise invalid("The price specified is set to `type=one_time`. It must recur.", f"{param}[price]")
    if is_metered(price) and "quantity" in entry:
        raise invalid("You cannot set the quantity of a metered item.", f"{param}[quantity]")
    return price


def new_item(subscription: Json, price: Json, entry: Json, *, at: int) -> Json:
    """An item as the API shows it; its period is laid out by `lay_out`."""
    item: Json = {
        "id": new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": at,
        "current_period_end": at,
        "current_period_start": at,
        "discounts": [],
        "metadata": merged_metadata({}, entry.get("metadata")),
        "price": price,
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    return item if is_metered(price) else item | {"quantity": entry.get("quantity", 1)}


def lay_out(item: Json, anchor: int, *, start: int) -> None:
    """Let the item's period begin at `start` and end at the next boundary."""
    item["current_period_start"] = start
    item["current_period_end"] = boundary_after(anchor, item["price"]["recurring"], start)


def holdings(subscription: Json) -> list[Holding]:
    """Give the licensed items with their full current periods, which share of which is left is a question of time."""
    anchor = subscription["billing_cycle_anchor"]
    return [
        Holding(
            item=item["id"],
            price=item["price"],
            quantity=item["quantity"],
            start=boundary_before(anchor, item["price"]["recurring"], item["current_period_end"]),
            end=item["current_period_end"],
        )
        for item in subscription["items"]["data"]
        if not is_metered(item["price"])
    ]


def licensed_line(state: State, item: Json, *, amount: int | None = None) -> Json:
    """The line of a licensed item for its current period."""
    quantity = Decimal(item["quantity"])
    due = price_amount(item["price"], quantity) if amount is None else amount
    start, end = item["current_period_start"], item["current_period_end"]
    return item_line(state, item, quantity=quantity, amount=due, start=start, end=end)


def add_one_time(state: State, subscription: Json, entries: list[Json], *, at: int) -> None:
    """Let one-time prices (`add_invoice_items`) wait for the subscription's next invoice."""
    for number, entry in enumerate(entries):
        price = read_price(state, entry, f"add_invoice_items[{number}]")
        quantity = entry.get("quantity", 1)
        product = state.store.find("product", price["product"]) or {}
        store_pending(
            state,
            invoice_item(
                customer=subscription["customer"],
                at=at,
                amount=price_amount(price, Decimal(quantity)),
                currency=price["currency"],
                period={"start": at, "end": at},
                description=product.get("name"),
                pricing=pricing(price),
                quantity=quantity,
                parent=subscription_parent(subscription["id"]),
                metadata=merged_metadata({}, entry.get("metadata")),
                test_clock=subscription["test_clock"],
            ),
        )


def store_pending(state: State, item: Json) -> Json:
    """Store an invoice item that waits, and say so."""
    state.store.put("invoiceitem", item)
    state.emit("invoiceitem.created", item)
    return item
