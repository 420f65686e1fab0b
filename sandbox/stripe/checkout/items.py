"""What a Checkout session sells: its prices, quantities and amounts in minor units."""

from decimal import Decimal

from sandbox.stripe.engine.amounts import exact_amount, rounded
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.internal import perform
from sandbox.stripe.resources.prices import make_price
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

NO_RECURRING_PRICE = "You must provide at least one recurring price in `subscription` mode."
NO_ITEMS = "The `line_items` parameter is required in payment and subscription mode."


def read_items(state: State, mode: str, wanted: list[Json], *, trial: bool) -> list[Json]:
    """Line items as the API shows them; 400 for prices that do not fit the mode or each other.

    In a trial nothing recurring is due yet.
    """
    if mode == "setup":
        if wanted:
            raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
        return []
    if not wanted:
        raise invalid(NO_ITEMS, "line_items", "parameter_missing")
    items = [_item(state, entry, f"line_items[{number}]") for number, entry in enumerate(wanted)]
    _check_mode(mode, [item["price"] for item in items])
    for item in items:
        if trial and item["price"]["recurring"]:
            item |= {"amount_subtotal": 0, "amount_total": 0}
    return items


def is_metered(price: Json) -> bool:
    return price["recurring"] is not None and price["recurring"]["usage_type"] == "metered"


def _check_mode(mode: str, prices: list[Json]) -> None:
    recurring = [price["recurring"] for price in prices if price["recurring"]]
    if mode == "payment" and recurring:
        raise invalid("A recurring price cannot be sold in `payment` mode: use `subscription` mode.", "line_items")
    if mode == "subscription" and not recurring:
        raise invalid(NO_RECURRING_PRICE, "line_items")
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    if len({(each["interval"], each["interval_count"]) for each in recurring}) > 1:
        raise invalid("All recurring prices must have the same interval and interval_count.", "line_items")


def _item(state: State, entry: Json, param: str) -> Json:
    price = _price(state, entry, param)
    quantity = _quantity(entry, price, param)
    amount = rounded(exact_amount(price, Decimal(quantity or 0)))
    product = state.store.find("product", price["product"]) or {}
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product.get("name"),
        "metadata": entry.get("metadata") or {},
        "price": price,
        "quantity": quantity,
        "_unit_label": product.get("unit_label"),
        "_note": product.get("description"),
    }


def _price(state: State, entry: Json, param: str) -> Json:
    if (entry.get("adjustable_quantity") or {}).get("enabled"):
        raise invalid("The sandbox's Checkout has no adjustable quantities.", f"{param}[adjustable_quantity]")
    if ("price" in entry) == ("price_data" in entry):
        raise invalid("You must specify either `price` or `price_data`.", param)
    if "price_data" in entry:
        return _inline_price(state, entry["price_data"])
    price = state.store.get("price", entry["price"], f"{param}[price]")
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", f"{param}[price]")
    return price


def _inline_price(state: State, data: Json) -> Json:
    """Make the price, and with `product_data` its product; neither can be sold again."""
    parameters = dict(data)
    product = parameters.pop("product_data", None)
    if product is not None:
        parameters["product"] = perform(state, "POST", "/v1/products", product)["id"]
    state.store.get("product", parameters.get("product", ""), "price_data[product]")
    return make_price(state, parameters, active=False)


def _quantity(entry: Json, price: Json, param: str) -> int | None:
    quantity: int | None = entry.get("quantity")
    if is_metered(price):
        if quantity is not None:
            raise invalid("Quantity should not be specified where usage_type is `metered`.", f"{param}[quantity]")
        return None
    if quantity is None:
        raise invalid("Quantity is required. Add `quantity` to the line item.", f"{param}[quantity]")
    if quantity < 1:
        raise invalid("This value must be greater than or equal to 1.", f"{param}[quantity]")
    return quantity
