"""POST /v1/usage/events: one event, or up to a thousand."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from msgspec import Meta

from billing.api.authentication import authenticate
from billing.api.hot.endpoint import answer, body_of, decode, hot_endpoint, refuse_repeated_keys
from billing.api.permissions import require
from billing.usage.inputs import EventInput
from billing.usage.services.ingest_events import ingest_events
from tenants.permissions import Permission

MOST_EVENTS = 1000


class EventsRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Several events in one call."""

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_EVENTS)]


class _SoundEvents(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The same where every event is well-formed: a thousand decoded at once take half the time of one by one."""

    events: Annotated[list[EventInput], Meta(min_length=1, max_length=MOST_EVENTS)]


_sound = msgspec.json.Decoder(_SoundEvents)
_batch = msgspec.json.Decoder(EventsRequest)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@hot_endpoint
def post_events(request: HttpRequest) -> HttpResponse:
    """Record events; `{"results": […]}` in the order given, each accepted, duplicate, conflict or rejected."""
    caller = authenticate(request)
    require(caller, Permission.USAGE_WRITE, Permission.RUNTIME)
    body = body_of(request)
    return answer({"results": ingest_events(caller=caller, events=_events_of(body), at=now())})


def _events_of(body: bytes) -> Sequence[EventInput | msgspec.Raw]:
    """A body's events; raw ones where any of them may be malformed. Of a key that stands twice in an event of a list,
    the last one counts: to look for it in each of a thousand would cost a fifth of what recording them does.
    """
    if body.count(b'"events"') == 1:
        try:
            return _sound.decode(body).events
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass  # said below, of the body or of the event that it is true of
    members = decode(_object, body)
    if "events" not in members:
        refuse_repeated_keys(body, different=len(members))
        return [msgspec.Raw(body)]
    if body.count(b'"events"') > 1:
        refuse_repeated_keys(body, different=len(members))
    return decode(_batch, body).events
