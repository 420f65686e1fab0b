"""Sessions of the customer portal: /v1/billing_portal/sessions."""

from sandbox.stripe.portal.sessions import open_portal
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json


@route("POST", "/v1/billing_portal/sessions")
def create(call: Call) -> Json:
    return open_portal(call.state, call.parameters)
