"""Several workers, slow and dead subscribers, order, and workers that die (N1)."""

import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.services.publish_events import publish_event
from billing.notifications.services.record_attempt import record_attempt
from billing.notifications.webhook_claims import Lane, claim
from billing.notifications.webhook_posting import Outcome
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import (
    at_once,
    deliver,
    deliver_all,
    fact,
    fresh,
    only_delivery,
    open_endpoint,
    publish,
)
from tests.notifications.webhooks.receiver import Reply, Request, receiving, slow
from vault.data_keys import forget_data_keys
from vault.models import AllowedHost, KeyEncryptionKey

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def wait_for(what: Callable[[], bool]) -> None:
    """Look until it is so, ten seconds at most."""
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.usefixtures("own_vault")
class TestAtOnce:
    """On connections of their own, with rows that are committed."""

    def test_slow_subscriber_blocks_the_rest(self) -> None:
        """N1: never: while eight of a tenant's do not answer, another's gets all that it is due, from the same worker,

        which calls two of them at once.
        """
        slow_tenant, quick_tenant = make_tenant(), make_tenant()
        released = threading.Event()

        def dead(request: Request) -> Reply:
            released.wait(10)
            return 500, b"", {}

        with receiving(dead) as tar_pit, receiving() as quick:
            for _ in range(8):
                open_endpoint(slow_tenant, tar_pit.url)
            open_endpoint(quick_tenant, quick.url)
            publish(slow_tenant, *"abc")
            publish(quick_tenant, *[f"o{number}" for number in range(10)])
            worker = threading.Thread(target=lambda: (deliver(), connection.close()))
            worker.start()
            wait_for(lambda: len(quick.got) == 10 and tar_pit.open == 2)
            assert len(tar_pit.got) == 2
            released.set()
            worker.join()
            # Events that come later do not even meet them: they are served apart now.
            assert WebhookEndpoint.objects.filter(tenant=slow_tenant, is_slow=True).count() == 8
            publish(quick_tenant)
            assert deliver(AT + MINUTE) == 1

    def test_each_event_once_and_in_order_by_many_workers(self) -> None:
        """N1: four workers at once; one delivery at a time an endpoint, in the order of each object."""
        tenant = make_tenant()
        with receiving(slow(0.002)) as one, receiving() as two:
            for receiver in (one, two):
                open_endpoint(tenant, receiver.url)
            events = publish(tenant, *["a", "b", "c"] * 10)
            at_once(*[deliver] * 4)
        assert WebhookAttempt.objects.count() == 60
        assert not WebhookDelivery.objects.exclude(state="delivered").exists()
        order = defaultdict(list)
        for event in events:
            order[event.object_id].append(f"msg_{event.id.hex}")
        for receiver in (one, two):
            assert receiver.most_at_once == 1
            for ids in order.values():
                assert [request.id for request in receiver.got if request.id in ids] == ids

    def test_worker_that_is_killed_half_way(self) -> None:
        """N1: a process that dies while a subscriber thinks; once its lease is over, another sends it again."""
        tenant, released = make_tenant(), threading.Event()

        def think(request: Request) -> Reply:
            released.wait(10)
            return 204, b"", {}

        with receiving(think) as receiver:
            open_endpoint(tenant, receiver.url)
            publish(tenant)
            connection.close()
            child = os.fork()
            if not child:
                with suppress(BaseException):
                    deliver()
                os._exit(0)
            wait_for(lambda: len(receiver.got) == 1)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            released.set()
            assert deliver_all(AT + 50 * SECOND) == 0
            assert deliver_all(AT + 62 * SECOND) == 1
        assert receiver.got[0].id == receiver.got[1].id
        assert (only_delivery().state, only_delivery().tries) == ("delivered", 2)
        assert WebhookAttempt.objects.count() == 1

    def test_fact_that_many_tell_is_told_once(self) -> None:
        """N1: the same key, published by four at once."""
        tenant = make_tenant()
        open_endpoint(tenant, "https://93.184.215.14/")
        same = fact(tenant)
        at_once(*[lambda: publish_event(same, at=AT)] * 4)
        assert WebhookDelivery.objects.count() == 1


@pytest.mark.usefixtures("vault")
class TestOneByOne:
    """In the test's own transaction."""

    def test_later_event_of_an_object_waits(self) -> None:
        """N1: until the earlier one is delivered or given up; other objects go on."""
        tenant = make_tenant()

        def picky(request: Request) -> Reply:
            return (500 if b'"poison"' in request.body else 204), b"", {}

        with receiving(picky) as receiver:
            open_endpoint(tenant, receiver.url)
            publish(tenant, "inv_1", word="poison")
            publish(tenant, "inv_1", "inv_2", word="fine")
            assert deliver_all() == 2
            states = dict(WebhookDelivery.objects.order_by("event_id").values_list("object_id", "state"))
            assert states == {"inv_1": "pending", "inv_2": "delivered"}
            assert deliver_all(AT + 10 * SECOND) == 1
            WebhookDelivery.objects.filter(tries__gt=0, object_id="inv_1").update(state="failed")
            assert deliver_all(AT + 20 * SECOND) == 1
        assert b'"fine"' in receiver.got[-1].body

    def test_claim_of_a_killed_worker_comes_back(self) -> None:
        """N1: after its lease, not before; the try counts, and nothing is lost."""
        tenant = make_tenant()
        with receiving() as receiver:
            open_endpoint(tenant, receiver.url)
            publish(tenant)
            [lost] = claim(lane=Lane.REGULAR, limit=10, at=AT)
            assert claim(lane=Lane.REGULAR, limit=10, at=AT) == []
            assert deliver_all(AT + 59 * SECOND) == 0
            assert deliver_all(AT + 61 * SECOND) == 1
        delivery = only_delivery()
        assert (delivery.state, delivery.tries) == ("delivered", 2)
        # Should it not have been killed, but have been slow: what it has to say changes nothing any more.
        record_attempt(taken=lost, outcome=Outcome("Late.", SECOND), at=AT + 2 * MINUTE)
        assert only_delivery().state == "delivered"
        assert fresh(delivery.endpoint).failing_since is None
        assert WebhookAttempt.objects.count() == 2

    def test_webhook_endpoint_on_a_private_address(self) -> None:
        """N1: refused when it is entered and again at each try, as names and staff's exceptions change."""
        tenant = make_tenant()
        with receiving(is_allowed=False) as inside:
            with pytest.raises(Exception, match="https"):
                open_endpoint(tenant, inside.url)
            allowed = AllowedHost.objects.create(host="127.0.0.1", port=inside.port, created_at=AT)
            open_endpoint(tenant, inside.url)
            allowed.delete()
            publish(tenant)
            assert deliver() == 1
            WebhookEndpoint.objects.update(url=f"https://127.0.0.1:{inside.port}/", is_slow=False)
            publish(tenant)
            assert deliver() == 1
        assert inside.got == []
        errors = WebhookAttempt.objects.order_by("id").values_list("error", flat=True)
        assert [error.partition("allowed. ") for error in errors] == [
            ("Not sent: the address is not, or no longer, ", "allowed. ", reason)
            for reason in (
                "The address does not begin with https://.",
                "The address leads to one that is not on the public internet.",
            )
        ]
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"pending"}

    def test_vault_that_does_not_answer_counts_against_nobody(self) -> None:
        """N1: nothing is sent unsigned, the try does not count, and it is made again soon."""
        tenant = make_tenant()
        with receiving() as receiver:
            endpoint, _ = open_endpoint(tenant, receiver.url)
            publish(tenant)
            location = KeyEncryptionKey.objects.get().location
            KeyEncryptionKey.objects.update(location="gone")
            forget_data_keys()
            assert deliver() == 0
            KeyEncryptionKey.objects.update(location=location)
            assert (only_delivery().tries, fresh(endpoint).failing_since) == (0, None)
            assert deliver(AT + MINUTE + SECOND) == 1
        assert only_delivery().state == "delivered"

    def test_address_that_changes_while_a_try_is_under_way(self) -> None:
        """N1: a failure of the old one says nothing of the new one."""
        tenant = make_tenant()
        endpoint, _ = open_endpoint(tenant, "https://93.184.215.14/old")
        publish(tenant)
        [taken] = claim(lane=Lane.REGULAR, limit=10, at=AT)
        WebhookEndpoint.objects.update(url="https://93.184.215.14/new")
        record_attempt(taken=taken, outcome=Outcome("Gone.", SECOND, status=410), at=AT)
        assert (fresh(endpoint).state, fresh(endpoint).is_slow, fresh(endpoint).lease) == ("enabled", False, None)
        assert only_delivery().state == "pending"

    def test_endpoints_take_turns(self) -> None:
        """N1: where there are more than a worker serves at once, those that waited longest come first."""
        tenant = make_tenant()
        for name in ("a", "b", "c"):
            open_endpoint(tenant, f"https://93.184.215.14/{name}")
        publish(tenant, "x")
        publish(tenant, "y")
        served = []
        for number in range(3):
            [taken] = claim(lane=Lane.REGULAR, limit=1, at=AT + number * SECOND)
            served.append(taken.delivery.endpoint.url[-1])
            record_attempt(taken=taken, outcome=Outcome("", SECOND / 100, status=204), at=AT + number * SECOND)
        assert sorted(served) == ["a", "b", "c"]

    def test_slow_answers_move_to_their_lane(self, settings: Settings) -> None:
        """N1: a success that takes its time counts as one, and is served apart from then on."""
        settings.WEBHOOK_SLOW_SECONDS = 0.01
        tenant = make_tenant()
        with receiving(slow(0.05)) as receiver:
            endpoint, _ = open_endpoint(tenant, receiver.url)
            publish(tenant)
            deliver()
        assert only_delivery().state == "delivered"
        assert fresh(endpoint).is_slow
