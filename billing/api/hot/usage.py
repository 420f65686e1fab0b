"""POST /v1/usage/events: one event, or up to a thousand."""

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from msgspec import Meta

from billing.api.authentication import authenticate
from billing.api.hot.endpoint import answer, body_of, decode, hot_endpoint
from billing.api.permissions import require
from billing.usage.services.ingest_events import ingest_events
from tenants.permissions import Permission

MOST_EVENTS = 1000


class EventsRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Several events in one call."""

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_EVENTS)]


_batch = msgspec.json.Decoder(EventsRequest)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@hot_endpoint
def post_events(request: HttpRequest) -> HttpResponse:
    """Record events; `{"results": […]}` in the order given, each accepted, duplicate, conflict or rejected."""
    caller = authenticate(request)
    require(caller, Permission.USAGE_WRITE, Permission.RUNTIME)
    body = body_of(request)
    events = decode(_batch, body).events if "events" in decode(_object, body) else [msgspec.Raw(body)]
    return answer({"results": ingest_events(caller=caller, events=events, at=now())})
