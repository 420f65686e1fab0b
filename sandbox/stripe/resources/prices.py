"""Prices: an amount in minor units, licensed or metered, per unit or in tiers."""

from decimal import Decimal
from typing import Any

from sandbox.stripe.errors import invalid
from sandbox.stripe.expansion import includable
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.search import searched
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, apply, changed, merged_metadata

KIND = "price"
URL = "/v1/prices"
MOST_LOOKUP_KEYS = 10
SEARCHABLE = {"active", "currency", "lookup_key", "metadata", "product", "type"}


@route("POST", "/v1/prices")
def create(call: Call) -> Json:
    parameters = dict(call.parameters)
    if ("product" in parameters) == ("product_data" in parameters):
        raise invalid("You must supply exactly one of product and product_data.", "product", "parameter_missing")
    if "product_data" in parameters:
        parameters["product"] = _inline_product(call.state, parameters["product_data"])
    call.state.store.get("product", parameters["product"], "product")
    return make_price(call.state, parameters)


def make_price(state: State, parameters: Json, *, active: bool = True) -> Json:
    """Store a price of an existing product; also for prices given inline with an item, with active=False."""
    price: Json = {
        "id": new_id("price"),
        "object": KIND,
        "active": parameters.get("active", active),
        "billing_scheme": parameters.get("billing_scheme", "per_unit"),
        "created": state.now(),
        "currency": parameters["currency"].lower(),
        "custom_unit_amount": parameters.get("custom_unit_amount"),
        "livemode": False,
        "lookup_key": None,
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "nickname": parameters.get("nickname"),
        "product": parameters["product"],
        "recurring": _recurring(state, parameters.get("recurring")),
        "tax_behavior": parameters.get("tax_behavior", "unspecified"),
        "tiers_mode": parameters.get("tiers_mode"),
        "transform_quantity": parameters.get("transform_quantity"),
        "type": "recurring" if "recurring" in parameters else "one_time",
        "_currency_options": parameters.get("currency_options") or {},
    }
    price |= _amounts(parameters)
    if "lookup_key" in parameters:
        _take_lookup_key(state, price, parameters)
    state.store.put(KIND, price)
    state.emit("price.created", price)
    return price


@route("GET", "/v1/prices/{price}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["price"], "price")


@route("POST", "/v1/prices/{price}")
def update(call: Call) -> Json:
    """Everything but what it costs, which stays for ever."""
    state, parameters = call.state, call.parameters
    before = state.store.get(KIND, call.arguments["price"], "price")
    price = state.store.get(KIND, before["id"])
    apply(price, parameters, ("active", "nickname", "tax_behavior"))
    price["metadata"] = merged_metadata(price["metadata"], parameters.get("metadata"))
    if "lookup_key" in parameters:
        _take_lookup_key(state, price, parameters)
    if previous := changed(before, price):
        state.store.put(KIND, price)
        state.emit("price.updated", price, previous)
    return price


@route("GET", "/v1/prices")
def list_prices(call: Call) -> Json:
    wanted: dict[str, Any] = {
        name: call.parameters[name] for name in ("active", "currency", "product", "type") if name in call.parameters
    }
    found = call.state.store.where(KIND, **wanted)
    keys = call.parameters.get("lookup_keys")
    if keys is not None:
        if len(keys) > MOST_LOOKUP_KEYS:
            raise invalid(f"You can ask for at most {MOST_LOOKUP_KEYS} lookup keys.", "lookup_keys")
        found = [price for price in found if price["lookup_key"] in keys]
    recurring: Json = call.parameters.get("recurring", {})
    found = [price for price in found if recurring.items() <= (price["recurring"] or {}).items()]
    return listed(call, found, URL)


@route("GET", "/v1/prices/search")
def search(call: Call) -> Json:
    return searched(call, call.state.store.all(KIND), f"{URL}/search", SEARCHABLE)


@includable(KIND, "tiers")
def tiers(state: State, price: Json) -> list[Json]:
    found: list[Json] = price.get("_tiers", [])
    return found


@includable(KIND, "currency_options")
def currency_options(state: State, price: Json) -> Json:
    own = {name: price[name] for name in ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")}
    others = {
        currency: {"custom_unit_amount": None, "tax_behavior": option.get("tax_behavior", "unspecified")}
        | _amount(option, "unit_amount")
        for currency, option in price["_currency_options"].items()
    }
    return {price["currency"]: own} | others


def _recurring(state: State, given: Json | None) -> Json | None:
    if given is None:
        return None
    meter, usage_type = given.get("meter"), given.get("usage_type", "licensed")
    if meter is not None:
        state.store.get("billing.meter", meter, "recurring[meter]")
    if (meter is None) == (usage_type == "metered"):
        raise invalid("A metered price names its meter, and only a metered one does.", "recurring[meter]")
    count = given.get("interval_count", 1)
    return {"interval": given["interval"], "interval_count": count, "meter": meter, "usage_type": usage_type}


def _amounts(parameters: Json) -> Json:
    """What it costs: a unit amount, or tiers in a private field, as they are only shown on request."""
    if parameters.get("billing_scheme") == "tiered":
        if "tiers" not in parameters or "tiers_mode" not in parameters:
            raise invalid("A tiered price has tiers and tiers_mode.", "tiers", "parameter_missing")
        return {"unit_amount": None, "unit_amount_decimal": None, "_tiers": _tiers(parameters["tiers"])}
    if "custom_unit_amount" in parameters:
        return {"unit_amount": None, "unit_amount_decimal": None}
    amount = _amount(parameters, "unit_amount")
    if amount["unit_amount_decimal"] is None:
        raise invalid("You must supply unit_amount or unit_amount_decimal.", "unit_amount", "parameter_missing")
    return amount


def _tiers(given: list[Json]) -> list[Json]:
    """Each with its upper end in units; the last one has none."""
    ends = [tier["up_to"] for tier in given]
    numbers = ends[:-1]
    if ends[-1] != "inf" or "inf" in numbers or numbers != sorted(set(numbers)):
        raise invalid("Tiers rise, and the last one is up to `inf`.", "tiers")
    return [
        _amount(tier, "flat_amount")
        | _amount(tier, "unit_amount")
        | {"up_to": None if tier["up_to"] == "inf" else tier["up_to"]}
        for tier in given
    ]


def _amount(given: Json, name: str) -> Json:
    """Both ways of writing an amount in minor units: the integer is null where there is a fraction."""
    written = given.get(f"{name}_decimal", given.get(name))
    if written is None:
        return {name: None, f"{name}_decimal": None}
    if name in given and f"{name}_decimal" in given:
        raise invalid(f"You may only specify one of {name} and {name}_decimal.", name)
    exact = Decimal(str(written)).normalize()
    whole = int(exact) if exact == exact.to_integral_value() else None
    return {name: whole, f"{name}_decimal": f"{exact:f}"}


def _take_lookup_key(state: State, price: Json, parameters: Json) -> None:
    """One price a key; `transfer_lookup_key` takes it from the price that has it."""
    key = parameters["lookup_key"]
    for holder in state.store.where(KIND, lookup_key=key):
        if holder["id"] == price["id"]:
            continue
        if not parameters.get("transfer_lookup_key"):
            raise invalid(f"A price (`{holder['id']}`) already uses that lookup key.", "lookup_key")
        state.store.put(KIND, holder | {"lookup_key": None})
        state.emit("price.updated", holder | {"lookup_key": None}, {"lookup_key": key})
    price["lookup_key"] = key


def _inline_product(state: State, given: Json) -> str:
    now = state.now()
    product: Json = {
        "id": given.get("id") or new_id("prod"),
        "object": "product",
        "active": given.get("active", True),
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": merged_metadata({}, given.get("metadata")),
        "name": given["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": given.get("statement_descriptor"),
        "tax_code": given.get("tax_code"),
        "unit_label": given.get("unit_label"),
        "updated": now,
        "url": None,
    }
    state.store.put("product", product)
    state.emit("product.created", product)
    return str(product["id"])
