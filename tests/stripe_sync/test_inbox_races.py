"""The inbox with several workers, and several processes that set Stripe up."""

from collections import Counter
from datetime import datetime
from threading import Lock

import pytest
from pytest_django import Settings

from billing.stripe_sync import handlers
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import InboxEvent, StripePrice
from billing.stripe_sync.services.connect_stripe import connect_stripe
from billing.stripe_sync.services.keep_event import keep_event
from billing.stripe_sync.services.work_inbox import work_inbox
from sandbox.stripe.process import TEST_KEY, StripeSandbox
from tests.make import AT
from tests.money_make import in_threads
from tests.stripe_sync.make import make_event, told_event

pytestmark = pytest.mark.usefixtures("own_database")


def test_workers_share_the_work(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4: each event is worked on by one of them, and none is left."""
    settings.STRIPE_SECRET_KEY = TEST_KEY
    reads: Counter[str] = Counter()
    lock = Lock()

    def read(key: str, at: datetime) -> bool:
        with lock:
            reads[key] += 1
        return True

    monkeypatch.setitem(handlers.READERS, "customer", read)
    for number in range(40):
        make_event(f"cus_{number}")
    assert sum(in_threads(lambda _: work_inbox(at=AT), 8, threads=8)) == 40
    assert set(reads.values()) == {1}
    assert set(InboxEvent.objects.values_list("state", "tries")) == {("done", 1)}


def test_event_delivered_by_many_at_once_is_kept_once() -> None:
    """S4: the unique id decides."""
    event = told_event("customer.updated", {"id": "cus_1", "object": "customer"})
    in_threads(lambda _: keep_event(event=event, at=AT), 16)
    assert InboxEvent.objects.get().deliveries == 16


def test_two_processes_set_stripe_up_once(stripe: StripeSandbox) -> None:
    """S1, S4: started together, they make one of everything."""
    in_threads(lambda _: connect_stripe(origin="https://quaestor.example", at=AT), 3, threads=3)
    client = stripe_client()
    assert len(client.v1.webhook_endpoints.list().data) == 2
    prices = list(client.v1.prices.list({"limit": 100}).auto_paging_iter())
    keys = [price.lookup_key for price in prices]
    assert len(keys) == len(set(keys)) >= StripePrice.objects.count()
    assert len(client.v1.billing_portal.configurations.list().data) == 1
