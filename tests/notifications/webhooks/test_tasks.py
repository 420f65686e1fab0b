"""The worker's tasks: one claims in a lane at a time, and the lanes know nothing of each other (N1)."""

import pytest
from django.db import DatabaseError, connection
from django.utils.timezone import now

from billing.notifications import tasks
from billing.notifications.webhook_claims import Lane
from config.celery import app
from tests.make import make_tenant
from tests.notifications.webhooks.make import open_endpoint, publish
from tests.notifications.webhooks.receiver import receiving

pytestmark = pytest.mark.usefixtures("vault")


def test_lane_that_is_being_claimed_in_is_left_alone() -> None:
    """N1: a worker's threads are not all taken by the slow ones; the other lane goes on."""
    tenant = make_tenant()
    with receiving() as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant, at=now())
        with tasks._CLAIMING[Lane.REGULAR]:
            assert tasks.deliver_webhooks() == 0
            assert tasks.deliver_slow_webhooks() == 0
        with tasks._CLAIMING[Lane.SLOW]:
            assert tasks.deliver_webhooks() == 1
    assert not any(lock.locked() for lock in tasks._CLAIMING.values())


def test_lane_is_free_again_after_a_failure() -> None:
    """N1: whatever happens to the database."""

    def fail(*_: object) -> None:
        raise DatabaseError("gone")

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError, match="gone"):
        tasks.deliver_webhooks()
    assert not tasks._CLAIMING[Lane.REGULAR].locked()


def test_deliveries_have_a_queue_of_their_own() -> None:
    """N1: the worker of everything else never waits for a subscriber."""
    queues = {entry["task"]: entry["options"].get("queue", "") for entry in app.conf.beat_schedule.values()}
    assert {name.rpartition(".")[2] for name, queue in queues.items() if queue == "webhooks"} == {
        "deliver_webhooks",
        "deliver_slow_webhooks",
    }
