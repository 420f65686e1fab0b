"""Portal sessions: a link that opens the portal for one customer, for an hour (S3)."""

from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.portal.configurations import KIND as CONFIGURATION
from sandbox.stripe.portal.configurations import default_configuration
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

KIND = "billing_portal.session"
GOOD_FOR = 3600  # seconds
FLOWS = {"payment_method_update": "payment_method_update", "subscription_cancel": "subscription_cancel"}


def open_portal(state: State, parameters: Json) -> Json:
    """Make a session; 400 without a configuration, and for a flow that the configuration does not allow."""
    if "customer" not in parameters:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.store.get("customer", parameters["customer"], "customer")
    configuration = _configuration(state, parameters)
    session_id = new_id("bps")
    session: Json = {
        "id": session_id,
        "object": KIND,
        "configuration": configuration["id"],
        "created": state.clock.now(),
        "customer": customer["id"],
        "customer_account": None,
        "flow": _flow(state, customer, configuration, parameters.get("flow_data")),
        "livemode": False,
        "locale": parameters.get("locale"),
        "on_behalf_of": None,
        "return_url": parameters.get("return_url") or configuration["default_return_url"],
        "url": f"{state.base_url}/p/session/{session_id}",
    }
    state.store.put(KIND, session)
    state.emit("billing_portal.session.created", session)
    return session


def _configuration(state: State, parameters: Json) -> Json:
    if "configuration" not in parameters:
        return default_configuration(state)
    configuration = state.store.get(CONFIGURATION, parameters["configuration"], "configuration")
    if not configuration["active"]:
        raise invalid("This configuration is not active.", "configuration")
    return configuration


def _flow(state: State, customer: Json, configuration: Json, wanted: Json | None) -> Json | None:
    if wanted is None:
        return None
    kind = wanted["type"]
    if kind not in FLOWS:
        raise invalid(f"The sandbox's portal has no flow `{kind}`.", "flow_data[type]")
    if not configuration["features"][FLOWS[kind]]["enabled"]:
        raise invalid(f"The configuration does not allow `{FLOWS[kind]}`.", "flow_data[type]")
    after = wanted.get("after_completion") or {"type": "portal_homepage"}
    shown = {"type": after["type"], "redirect": after.get("redirect"), "hosted_confirmation": None}
    flow: Json = {"after_completion": shown, "type": kind}
    flow |= dict.fromkeys(("subscription_cancel", "subscription_update", "subscription_update_confirm"))
    if kind == "subscription_cancel":
        subscription = state.store.get("subscription", wanted["subscription_cancel"]["subscription"], "subscription")
        if subscription["customer"] != customer["id"]:
            raise invalid("The subscription belongs to another customer.", "flow_data[subscription_cancel]")
        flow["subscription_cancel"] = {"retention": None, "subscription": subscription["id"]}
    return flow
