"""The summary of a Checkout page: lines, amounts and how often they come back."""

from decimal import Decimal

from sandbox.stripe.checkout.items import is_metered
from sandbox.stripe.engine.amounts import exact_amount, formatted, rounded
from sandbox.stripe.pages.rendering import NOTHING, Html, fill, money
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.values import Json


def heading(session: Json) -> str:
    """What the visitor came to do."""
    items = session["_items"]
    if session["mode"] == "setup":
        return "Save a card for later"
    main = next((item for item in items if item["price"]["recurring"]), items[0])
    verb = "Subscribe to" if session["mode"] == "subscription" else "Pay for"
    return f"{verb} {main['description'] or 'your order'}"


def price(session: Json) -> Html:
    """The large figure; nothing where nothing is sold."""
    if not session["_items"]:
        return NOTHING
    amount = money(session["amount_total"], session["currency"])
    return fill("checkout_price.html", amount=amount, note=_rhythm(session))


def _rhythm(session: Json) -> str:
    """How the amount comes back: "per month", or what comes after a first payment that differs."""
    items = [item for item in session["_items"] if item["price"]["recurring"]]
    if not items:
        return ""
    licensed = [item for item in items if not is_metered(item["price"])]
    later = sum(rounded(exact_amount(item["price"], Decimal(item["quantity"]))) for item in licensed)
    rhythm = every(items[0]["price"]["recurring"])
    if not later:
        return f"today, then by usage, {rhythm}"
    if later == session["amount_total"]:
        return rhythm
    return f"today, then {money(later, session['currency'])} {rhythm}"


def line(item: Json) -> Html:
    """One row: what it is, how many at which price, and what is due today."""
    price = item["price"]
    amount = "by usage" if is_metered(price) else money(item["amount_total"], item["currency"])
    return fill("checkout_line.html", name=item["description"] or "Item", detail=_detail(item), amount=amount)


def total(session: Json) -> Html:
    if not session["_items"]:
        return NOTHING
    amount = money(session["amount_total"], session["currency"])
    return fill("checkout_total.html", label="Total due today", amount=amount)


def back_link(session: Json) -> Html:
    if not session["cancel_url"]:
        return NOTHING
    return fill("back.html", address=session["cancel_url"], text=f"Back to {PLATFORM_NAME}")


def every(recurring: Json) -> str:
    """Write an interval: "per month", "every 3 months"."""
    count, interval = recurring["interval_count"], recurring["interval"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


def price_text(price: Json, quantity: int | None, unit_label: str | None = None) -> str:
    """Write what a price comes to: "$20.00 per month", "Billed by usage per month: $0.01 per US cent"."""
    rhythm = f" {every(price['recurring'])}" if price["recurring"] else ""
    if is_metered(price):
        unit = price["unit_amount_decimal"]
        rate = "tiered" if unit is None else f"{formatted(Decimal(unit), price['currency'])} per {unit_label or 'unit'}"
        return f"Billed by usage {every(price['recurring'])}: {rate}"
    return f"{money(rounded(exact_amount(price, Decimal(quantity or 1))), price['currency'])}{rhythm}"


def _detail(item: Json) -> str:
    price, quantity = item["price"], item["quantity"]
    each = price_text(price, 1, item["_unit_label"])
    if is_metered(price) and item["_note"]:
        return f"{each}. {item['_note']}"
    if quantity is None or quantity == 1:
        return each
    if price["billing_scheme"] == "tiered":
        return f"{quantity} units, {price_text(price, quantity)}"
    return f"{quantity} × {each}"
