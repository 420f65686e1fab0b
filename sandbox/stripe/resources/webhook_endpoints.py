"""Webhook endpoints; their secret is shown once, when they are made."""

from urllib.parse import urlsplit

from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id, random_text
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, route
from sandbox.stripe.specification import API_VERSION
from sandbox.stripe.values import Json, apply, merged_metadata

KIND = "webhook_endpoint"
URL = "/v1/webhook_endpoints"
MOST_ENDPOINTS = 16
SECRET_LENGTH = 32


@route("POST", "/v1/webhook_endpoints")
def create(call: Call) -> Json:
    state, parameters = call.state, call.parameters
    _check_url(parameters["url"])
    if len(state.store.all(KIND)) >= MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    version = parameters.get("api_version")
    if version not in {None, API_VERSION}:
        raise invalid(f"The sandbox sends events of API version {API_VERSION} only.", "api_version")
    endpoint: Json = {
        "id": new_id("we"),
        "object": KIND,
        "api_version": version,
        "application": None,
        "created": state.now(),
        "description": parameters.get("description") or None,
        "enabled_events": parameters["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "status": "enabled",
        "url": parameters["url"],
        "_connect": parameters.get("connect", False),
        "_secret": f"whsec_{random_text(SECRET_LENGTH)}",
    }
    state.store.put(KIND, endpoint)
    return endpoint | {"secret": endpoint["_secret"]}


@route("GET", "/v1/webhook_endpoints/{webhook_endpoint}")
def retrieve(call: Call) -> Json:
    return _endpoint(call)


@route("POST", "/v1/webhook_endpoints/{webhook_endpoint}")
def update(call: Call) -> Json:
    endpoint, parameters = _endpoint(call), call.parameters
    if "url" in parameters:
        _check_url(parameters["url"])
    apply(endpoint, parameters, ("description", "enabled_events", "url"))
    endpoint["metadata"] = merged_metadata(endpoint["metadata"], parameters.get("metadata"))
    if "disabled" in parameters:
        endpoint["status"] = "disabled" if parameters["disabled"] else "enabled"
    return call.state.store.put(KIND, endpoint)


@route("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}")
def delete(call: Call) -> Json:
    endpoint = _endpoint(call)
    call.state.store.delete(KIND, endpoint["id"])
    return {"id": endpoint["id"], "object": KIND, "deleted": True}


@route("GET", "/v1/webhook_endpoints")
def list_endpoints(call: Call) -> Json:
    return listed(call, call.state.store.all(KIND), URL)


def _endpoint(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["webhook_endpoint"], "webhook_endpoint")


def _check_url(url: str) -> None:
    try:
        address = urlsplit(url)
        is_usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid")
