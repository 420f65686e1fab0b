"""Customers who pay at the sandbox's Stripe, and whose programs call the API at Stripe's time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import time_machine

from sandbox.stripe.process import StripeSandbox
from tests.api.calls import call
from tests.make import Customer
from tests.stripe_sync.plans import subscribed

BILLING = "/v1/workspaces/main/billing"


@contextmanager
def at_stripes_time(stripe: StripeSandbox) -> Iterator[None]:
    """To a part of a second: a call after another one is never at an earlier time."""
    now = datetime.fromtimestamp(stripe.call("GET", "/_sandbox/clock")["precise"], UTC)
    with time_machine.travel(now, tick=True):
        yield


def send(stripe: StripeSandbox, customer: Customer, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """A call of the customer's program, now by Stripe's clock."""
    with at_stripes_time(stripe):
        return call(method, path, customer.key, body, **headers)


def subscribe_by_card(stripe: StripeSandbox, customer: Customer, plan: str = "pro", **more: Any) -> None:
    with at_stripes_time(stripe):
        subscribed(customer.account, stripe, plan, **more)
