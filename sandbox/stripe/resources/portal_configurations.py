"""Configurations of the customer portal: /v1/billing_portal/configurations."""

from sandbox.stripe.listing import listed
from sandbox.stripe.portal.configurations import KIND, change_configuration, new_configuration
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

PATH = "/v1/billing_portal/configurations"


@route("POST", PATH)
def create(call: Call) -> Json:
    return new_configuration(call.state, call.parameters)


@route("GET", PATH)
def list_configurations(call: Call) -> Json:
    wanted = {name: call.parameters[name] for name in ("active", "is_default") if name in call.parameters}
    return listed(call, call.state.store.where(KIND, **wanted), PATH)


@route("GET", f"{PATH}/{{configuration}}")
def retrieve(call: Call) -> Json:
    return _find(call)


@route("POST", f"{PATH}/{{configuration}}")
def update(call: Call) -> Json:
    return change_configuration(call.state, _find(call), call.parameters)


def _find(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["configuration"], "configuration")
