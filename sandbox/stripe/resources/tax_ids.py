"""Tax ids of customers: their shape is checked by type, whether one exists is asked of nobody."""

import re

from sandbox.stripe.errors import invalid
from sandbox.stripe.expansion import includable
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import as_list, listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

KIND = "tax_id"
PATH = "/v1/customers/{customer}/tax_ids"
# Without spaces, points and hyphens. What is not listed is taken as it is.
SHAPES = {
    "au_abn": "[0-9]{11}",
    "ch_uid": "CHE[0-9]{9}",
    "ch_vat": "CHE[0-9]{9}(MWST|TVA|IVA)",
    "eu_vat": "[A-Z]{2}[0-9A-Z+*]{2,12}",
    "gb_vat": "GB([0-9]{9}|[0-9]{12}|GD[0-9]{3}|HA[0-9]{3})",
    "in_gst": "[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]",
    "no_vat": "[0-9]{9}MVA",
    "nz_gst": "[0-9]{8,9}",
    "us_ein": "[0-9]{9}",
    "za_vat": "4[0-9]{9}",
}
SEPARATORS = re.compile(r"[\s.-]")


@route("POST", PATH)
def create(call: Call) -> Json:
    """400 where the value cannot be one of its type."""
    state, kind, value = call.state, call.parameters["type"], call.parameters["value"]
    customer = state.store.get("customer", call.arguments["customer"], "customer")
    if not re.fullmatch(SHAPES.get(kind, ".+"), SEPARATORS.sub("", value).upper(), re.ASCII):
        raise invalid(f"Invalid value for {kind}.", "value", "tax_id_invalid")
    made = state.store.put(KIND, _new(state, customer, kind, value))
    state.emit("customer.tax_id.created", made)
    return made


@route("GET", PATH)
def list_tax_ids(call: Call) -> Json:
    customer = call.state.store.get("customer", call.arguments["customer"], "customer")
    return listed(call, call.state.store.where(KIND, customer=customer["id"]), _url(customer))


@route("GET", f"{PATH}/{{id}}")
def retrieve(call: Call) -> Json:
    return _found(call)


@route("DELETE", f"{PATH}/{{id}}")
def delete(call: Call) -> Json:
    gone = _found(call)
    call.state.store.delete(KIND, gone["id"])
    call.state.emit("customer.tax_id.deleted", gone)
    return {"id": gone["id"], "object": KIND, "deleted": True}


@includable("customer", "tax_ids")
def tax_ids(state: State, customer: Json) -> Json:
    return as_list(state.store.where(KIND, customer=customer["id"]), _url(customer))


def _found(call: Call) -> Json:
    found = call.state.store.get(KIND, call.arguments["id"])
    if found["customer"] != call.arguments["customer"]:
        raise invalid("The tax id belongs to another customer.", "id", "resource_missing")
    return found


def _url(customer: Json) -> str:
    return PATH.format(customer=customer["id"])


def _new(state: State, customer: Json, kind: str, value: str) -> Json:
    return {
        "id": new_id("txi"),
        "object": KIND,
        "country": value[:2].upper() if kind == "eu_vat" else kind[:2].upper(),
        "created": state.now(customer),
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "owner": {"customer": customer["id"], "type": "customer"},
        "type": kind,
        "value": value,
        "verification": None,
    }
