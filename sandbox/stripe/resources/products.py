"""Products."""

from typing import Any

from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import as_list, listed
from sandbox.stripe.resources.prices import make_price
from sandbox.stripe.routing import Call, route
from sandbox.stripe.search import searched
from sandbox.stripe.values import Json, apply, changed, merged_metadata

KIND = "product"
URL = "/v1/products"
PLAIN_FIELDS = (
    "active",
    "description",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)
LISTS = ("images", "marketing_features")
SEARCHABLE = {"active", "description", "metadata", "name", "shippable", "url"}


@route("POST", "/v1/products")
def create(call: Call) -> Json:
    state, parameters = call.state, call.parameters
    wanted = parameters.get("id")
    if wanted and state.store.find(KIND, wanted):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    now = state.now()
    product: Json = {
        "id": wanted or new_id("prod"),
        "object": KIND,
        "created": now,
        "default_price": None,
        "livemode": False,
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "name": parameters["name"],
        "updated": now,
        **dict.fromkeys(PLAIN_FIELDS),
        **{name: [] for name in LISTS},
    }
    product["active"] = True
    _fill(product, parameters)
    state.store.put(KIND, product)
    state.emit("product.created", product)
    if "default_price_data" in parameters:
        price = make_price(state, parameters["default_price_data"] | {"product": product["id"]})
        product["default_price"] = price["id"]
        state.store.put(KIND, product)
    return product


@route("GET", "/v1/products/{id}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["id"])


@route("POST", "/v1/products/{id}")
def update(call: Call) -> Json:
    state, parameters = call.state, call.parameters
    before = state.store.get(KIND, call.arguments["id"])
    product = state.store.get(KIND, call.arguments["id"])
    _fill(product, parameters)
    apply(product, parameters, ("name",))
    product["metadata"] = merged_metadata(product["metadata"], parameters.get("metadata"))
    if "default_price" in parameters:
        product["default_price"] = state.store.get("price", parameters["default_price"], "default_price")["id"]
    if previous := changed(before, product):
        product["updated"] = state.now()
        state.store.put(KIND, product)
        state.emit("product.updated", product, previous | {"updated": before["updated"]})
    return product


@route("DELETE", "/v1/products/{id}")
def delete(call: Call) -> Json:
    state = call.state
    product = state.store.get(KIND, call.arguments["id"])
    if state.store.where("price", product=product["id"]):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    state.store.delete(KIND, product["id"])
    gone = state.store.put("deleted", {"id": product["id"], "object": KIND, "deleted": True})
    state.emit("product.deleted", product)
    return gone


@route("GET", "/v1/products")
def list_products(call: Call) -> Json:
    wanted: dict[str, Any] = {
        name: call.parameters[name] for name in ("active", "shippable", "url") if name in call.parameters
    }
    found = call.state.store.where(KIND, **wanted)
    if "ids" in call.parameters:
        found = [product for product in found if product["id"] in call.parameters["ids"]]
    return listed(call, found, URL)


@route("GET", "/v1/products/search")
def search(call: Call) -> Json:
    return searched(call, call.state.store.all(KIND), f"{URL}/search", SEARCHABLE)


@route("GET", "/v1/products/{product}/features")
def features(call: Call) -> Json:
    """Entitlements are not part of the sandbox: none."""
    product = call.state.store.get(KIND, call.arguments["product"], "product")
    return as_list([], f"{URL}/{product['id']}/features")


def _fill(product: Json, parameters: Json) -> None:
    apply(product, parameters, PLAIN_FIELDS)
    for name in LISTS:
        if name in parameters:
            product[name] = parameters[name] or []
