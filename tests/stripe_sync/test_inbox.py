"""Working through the inbox of Stripe's events."""

from datetime import datetime, timedelta

import pytest
import stripe as sdk
from pytest_django import Settings

from billing.stripe_sync import handlers
from billing.stripe_sync.models import InboxEvent
from billing.stripe_sync.queries import InboxLag, inbox_lag
from billing.stripe_sync.services.keep_event import keep_event
from billing.stripe_sync.services.replay_event import replay_event
from billing.stripe_sync.services.work_inbox import BACK_OFF, work_inbox
from sandbox.stripe.process import TEST_KEY
from tests.make import AT
from tests.stripe_sync.make import make_event, told_event

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


class Reads:
    """Stands for the fresh read of a customer: counts, and fails as told."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.error: BaseException | None = None
        self.is_ours = True

    def __call__(self, key: str, at: datetime) -> bool:
        self.keys.append(key)
        if self.error is not None:
            raise self.error
        return self.is_ours


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Reads:
    settings.STRIPE_SECRET_KEY = TEST_KEY
    reads = Reads()
    monkeypatch.setitem(handlers.READERS, "customer", reads)
    return reads


def states() -> list[str]:
    return list(InboxEvent.objects.order_by("id").values_list("state", flat=True))


def test_events_of_a_customer_are_one_read(reads: Reads) -> None:
    """S4: a burst about one customer asks Stripe once; another customer is a read of its own."""
    for customer in ("cus_1", "cus_2", "cus_1", "cus_1"):
        make_event(customer)
    assert work_inbox(at=AT) == 4
    assert reads.keys == ["cus_1", "cus_2"]
    assert states() == ["done"] * 4


def test_oldest_due_is_first(reads: Reads) -> None:
    """S4: whoever has waited longest."""
    make_event("cus_late", at=AT)
    make_event("cus_early", at=AT - SECOND)
    make_event("cus_future", at=AT + SECOND)
    work_inbox(at=AT)
    assert reads.keys == ["cus_early", "cus_late"]


def test_limit_is_kept(reads: Reads) -> None:
    """S4: a run ends, so that it can be counted on."""
    for number in range(3):
        make_event(f"cus_{number}")
    assert work_inbox(at=AT, limit=2) == 2
    assert states() == ["done", "done", "pending"]


def test_failure_is_tried_again_later_and_given_up_at_last(reads: Reads) -> None:
    """S4: after 10 s, 1 min, 5 min, 30 min, 2 h and 6 h; what failed is written down."""
    event, at = make_event(), AT
    reads.error = ValueError("No plan fits sk_test_0123456789\nand more")
    for pause in BACK_OFF:
        assert work_inbox(at=at) == 0
        assert work_inbox(at=at + pause - SECOND) == 0
        event.refresh_from_db()
        assert (event.state, event.due_at) == ("pending", at + pause)
        at += pause
    work_inbox(at=at)
    event.refresh_from_db()
    assert (event.state, event.tries, len(reads.keys)) == ("failed", 7, 7)
    assert event.error == "ValueError: No plan fits sk_test_…"


def test_one_that_fails_does_not_stop_the_others(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4: one customer's trouble is nobody else's."""

    def fail_for_first(key: str, at: datetime) -> bool:
        if key == "cus_1":
            raise ValueError
        return True

    monkeypatch.setitem(handlers.READERS, "customer", fail_for_first)
    make_event("cus_1")
    make_event("cus_2")
    assert work_inbox(at=AT) == 1
    assert states() == ["pending", "done"]


@pytest.mark.parametrize(
    "error",
    [
        sdk.APIConnectionError("away"),
        sdk.RateLimitError("slower", http_status=429),
        sdk.AuthenticationError("wrong key", http_status=401),
        sdk.APIError("broken", http_status=503),
    ],
    ids=lambda error: type(error).__name__,
)
def test_everything_waits_while_stripe_is_away(reads: Reads, error: Exception) -> None:
    """S4: an outage counts no try and is not asked again and again."""
    first, second = make_event("cus_1"), make_event("cus_2")
    reads.error = error
    assert work_inbox(at=AT) == 0
    first.refresh_from_db()
    second.refresh_from_db()
    assert (len(reads.keys), first.tries, second.tries) == (1, 0, 0)
    assert first.error.startswith(type(error).__name__)
    reads.error = None
    assert work_inbox(at=AT + timedelta(minutes=1)) == 2
    first.refresh_from_db()
    assert (first.state, first.error) == ("done", "")


def test_nothing_is_worked_on_without_a_key(reads: Reads, settings: Settings) -> None:
    """S6: events wait for a key."""
    make_event()
    settings.STRIPE_SECRET_KEY = ""
    assert work_inbox(at=AT) == 0
    assert states() == ["pending"]


def test_what_is_gone_is_done(reads: Reads) -> None:
    """S4: there is nothing left to read."""
    make_event()
    reads.error = sdk.InvalidRequestError("No such customer", "id", code="resource_missing", http_status=404)
    assert work_inbox(at=AT) == 1
    assert states() == ["done"]


def test_what_we_do_not_follow_is_ignored(reads: Reads) -> None:
    """S4: unknown kinds, events without an object, customers of somebody else."""
    keep_event(event=told_event("billing.alert.triggered", {"object": "billing.alert"}), at=AT)
    keep_event(event=told_event("invoice.upcoming", {"object": "invoice"}), at=AT)
    make_event("cus_of_somebody_else")
    reads.is_ours = False
    assert work_inbox(at=AT) == 3
    assert states() == ["ignored"] * 3


def test_event_is_kept_once(reads: Reads) -> None:
    """S4: however often it is delivered, and also after it was worked on."""
    event = told_event("customer.updated", {"id": "cus_1", "object": "customer"})
    keep_event(event=event, at=AT)
    work_inbox(at=AT)
    kept = keep_event(event=event, at=AT + SECOND)
    kept.refresh_from_db()
    assert (kept.deliveries, kept.state, InboxEvent.objects.count()) == (2, "done", 1)
    assert work_inbox(at=AT + SECOND) == 0


def test_card_that_was_taken_away_names_its_customer(reads: Reads) -> None:
    """S4, I3: among the previous attributes."""
    card, before = {"id": "pm_1", "object": "payment_method", "customer": None}, {"customer": "cus_7"}
    event = told_event("payment_method.detached", {}, data={"object": card, "previous_attributes": before})
    assert keep_event(event=event, at=AT).customer_id == "cus_7"


def test_worker_that_dies_leaves_the_event_to_another(reads: Reads) -> None:
    """S4: taken is not done; after the lease somebody else takes it, and an event that kills is given up."""
    event = make_event()
    reads.error = KeyboardInterrupt()
    at = AT
    for _ in range(7):
        with pytest.raises(KeyboardInterrupt):
            work_inbox(at=at)
        assert work_inbox(at=at + SECOND) == 0
        at += timedelta(minutes=6)
    reads.error = None
    work_inbox(at=at)
    event.refresh_from_db()
    assert (event.state, len(reads.keys)) == ("failed", 7)
    replay_event(event_id=event.id, at=at)
    assert work_inbox(at=at) == 1


def test_replay_during_the_work_is_not_lost(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4: an event that was put back while a worker had it is worked on once more."""
    event = make_event()

    def replayed(key: str, at: datetime) -> bool:
        replay_event(event_id=event.id, at=at + SECOND)
        return True

    monkeypatch.setitem(handlers.READERS, "customer", replayed)
    work_inbox(at=AT)
    monkeypatch.setitem(handlers.READERS, "customer", reads)
    assert work_inbox(at=AT + SECOND) == 1
    assert reads.keys == ["cus_1"]


def test_lag_is_measured(reads: Reads) -> None:
    """S4: how many wait, for how long, and how many were given up."""
    assert inbox_lag(at=AT) == InboxLag(0, 0, timedelta())
    make_event("cus_1", at=AT - timedelta(minutes=3))
    make_event("cus_2")
    InboxEvent.objects.filter(id=make_event("cus_3").id).update(state="failed")
    assert inbox_lag(at=AT) == InboxLag(2, 1, timedelta(minutes=3))
