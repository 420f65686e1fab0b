"""Links to the hosted onboarding page: /v1/account_links."""

from sandbox.stripe.connect.accounts import find_account
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

KIND = "_account_link"
GOOD_FOR = 300  # seconds


@route("POST", "/v1/account_links")
def create(call: Call) -> Json:
    """The link works once and for five minutes; after that its page leads to refresh_url."""
    for name in ("refresh_url", "return_url"):
        if not call.parameters.get(name):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    account = find_account(call.state, call.parameters["account"])
    now = call.state.clock.now()
    link = {
        "id": new_id("link"),
        "account": account["id"],
        "expires_at": now + GOOD_FOR,
        "refresh_url": call.parameters["refresh_url"],
        "return_url": call.parameters["return_url"],
        "used": False,
    }
    call.state.store.put(KIND, link)
    url = f"{call.state.base_url}/connect/{link['id']}"
    return {"object": "account_link", "created": now, "expires_at": link["expires_at"], "url": url}
