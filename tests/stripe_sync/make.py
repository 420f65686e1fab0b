"""Events and customers for tests of the work with Stripe."""

import json
from datetime import datetime
from itertools import count
from typing import Any

from billing.stripe_sync.models import InboxEvent
from billing.stripe_sync.services.keep_event import keep_event
from billing.stripe_sync.told_event import ToldEvent, read_event
from tests.make import AT

_numbers = count(1)


def event_body(type_: str, thing: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event as Stripe sends it."""
    return {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "type": type_,
        "created": int(AT.timestamp()),
        "livemode": False,
        "data": {"object": thing},
    } | more


def told_event(type_: str, thing: dict[str, Any], **more: Any) -> ToldEvent:
    """The same as it is read."""
    return read_event(json.dumps(event_body(type_, thing, **more)))


def make_event(customer: str = "cus_1", *, type_: str = "customer.updated", at: datetime = AT) -> InboxEvent:
    """A kept event about a customer."""
    return keep_event(event=told_event(type_, {"id": customer, "object": "customer"}), at=at)
