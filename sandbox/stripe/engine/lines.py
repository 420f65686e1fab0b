"""The lines of invoices, and the invoice items that wait for an invoice."""

from decimal import Decimal

from sandbox.stripe.engine.amounts import formatted, plain, unit_decimal
from sandbox.stripe.engine.proration import Proration
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json


def item_line(state: State, item: Json, *, quantity: Decimal, amount: int, start: int, end: int) -> Json:
    """A subscription item's own line for one period; `amount` in minor units."""
    price = item["price"]
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": item["subscription"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }
    return _line(
        amount=amount,
        currency=price["currency"],
        description=describe(state, price, quantity),
        metadata=item["metadata"],
        parent=parent,
        period={"start": start, "end": end},
        pricing=pricing(price),
        quantity=quantity,
        subscription=item["subscription"],
    )


def pending_line(invoice_item: Json) -> Json:
    """The line that an invoice item becomes."""
    parent = invoice_item["parent"]
    details = parent["subscription_details"] if parent else None
    proration = {
        "proration": invoice_item["proration"],
        "proration_details": {"credited_items": _credited(invoice_item)},
        "subscription": details["subscription"] if details else None,
        "invoice_item": invoice_item["id"],
    }
    of_item = bool(details and details.get("subscription_item"))
    return _line(
        amount=invoice_item["amount"],
        currency=invoice_item["currency"],
        description=invoice_item["description"],
        metadata=invoice_item["metadata"],
        parent={
            "invoice_item_details": None if of_item else proration,
            "subscription_item_details": (
                proration | {"subscription_item": details["subscription_item"]} if details and of_item else None
            ),
            "type": "subscription_item_details" if of_item else "invoice_item_details",
        },
        period=invoice_item["period"],
        pricing=invoice_item["pricing"],
        quantity=Decimal(invoice_item["quantity"]),
        subscription=details["subscription"] if details else None,
    )


def proration_item(state: State, subscription: Json, line: Proration, *, at: int, credited: Json | None) -> Json:
    """The invoice item of a proration, still without an invoice."""
    price, quantity = line.holding.price, line.holding.quantity
    words = "Unused time on" if line.is_credit else "Remaining time on"
    return invoice_item(
        customer=subscription["customer"],
        at=at,
        amount=line.amount,
        currency=price["currency"],
        description=f"{words} {describe(state, price, Decimal(quantity))}",
        period={"start": line.start, "end": line.end},
        pricing=pricing(price),
        quantity=quantity,
        parent=subscription_parent(subscription["id"], line.holding.item),
        proration=True,
        proration_details={"credited_items": _wrapped(credited), "discount_amounts": []},
        test_clock=subscription["test_clock"],
    )


def subscription_parent(subscription: str, item: str | None = None) -> Json:
    details = {"subscription": subscription} | ({"subscription_item": item} if item else {})
    return {"subscription_details": details, "type": "subscription_details"}


def invoice_item(*, customer: str, at: int, amount: int, currency: str, period: Json, **more: object) -> Json:
    """An invoice item; `more` are its other fields, `amount` in minor units."""
    item: Json = EMPTY_ITEM | {
        "id": new_id("ii"),
        "amount": amount,
        "currency": currency,
        "customer": customer,
        "date": at,
        "net_amount": amount,
        "period": period,
    }
    item |= more
    return item | {"quantity_decimal": str(item["quantity"])}


def pricing(price: Json) -> Json:
    product = price["product"] if isinstance(price["product"], str) else price["product"]["id"]
    return {
        "price_details": {"price": price["id"], "product": product},
        "type": "price_details",
        "unit_amount_decimal": unit_decimal(price),
    }


def describe(state: State, price: Json, quantity: Decimal) -> str:
    """Say what is sold, such as "2 × Team (at $20.00 / month)", with what the product counts."""
    product = state.store.find("product", price["product"]) or {"name": price["product"]}
    recurring = price["recurring"]
    unit = unit_decimal(price)
    if not recurring or unit is None:
        return f"{plain(quantity)} × {product['name']}"
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"
    label = product.get("unit_label")
    counted, per = (f"{plain(quantity)} {label}", f" per {label}") if label else (plain(quantity), "")
    return f"{counted} × {product['name']} (at {formatted(Decimal(unit), price['currency'])}{per} / {every})"


def _credited(invoice_item: Json) -> Json | None:
    wrapped = invoice_item["proration_details"].get("credited_items")
    return wrapped["invoice_line_item_details"] if wrapped else None


def _wrapped(credited: Json | None) -> Json | None:
    return {"type": "invoice_line_items", "invoice_line_item_details": credited} if credited else None


def _line(*, quantity: Decimal, **fields: object) -> Json:
    whole = quantity == quantity.to_integral_value()
    line: Json = {
        "id": new_id("il"),
        "object": "line_item",
        "discount_amounts": [],
        "discountable": False,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "pretax_credit_amounts": [],
        "quantity": int(quantity) if whole else None,
        "quantity_decimal": plain(quantity),
        "subtotal": fields["amount"],
        "taxes": [],
    }
    return line | fields


EMPTY_ITEM: Json = {
    "object": "invoiceitem",
    "customer_account": None,
    "description": None,
    "discountable": False,
    "discounts": [],
    "invoice": None,
    "livemode": False,
    "metadata": {},
    "parent": None,
    "pricing": None,
    "proration": False,
    "proration_details": {"discount_amounts": []},
    "quantity": 1,
    "tax_rates": [],
    "test_clock": None,
}
