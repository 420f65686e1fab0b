"""The inbox of Stripe's events in the staff admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.stripe_sync.admin import inbox
from billing.stripe_sync.models import InboxEvent
from tests.admin.records import make_user
from tests.stripe_sync.make import make_event

pytestmark = pytest.mark.django_db
LIST = "admin:billing_stripe_sync_inboxevent_changelist"
SAID = {"_form_submitted": "True"}


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "queue_inbox", lambda: None)


@pytest.fixture
def event() -> InboxEvent:
    event = make_event()
    event.state, event.tries, event.error = InboxEvent.State.FAILED, 7, "ValueError: No plan fits"
    event.save()
    return event


def page(event: InboxEvent, name: str = "change") -> str:
    return reverse(f"admin:billing_stripe_sync_inboxevent_{name}", args=[event.id])


def test_failed_event_is_replayed(staff: Client, event: InboxEvent) -> None:
    """S4, F2: asking changes nothing, confirming puts it back, and the page's history has who did."""
    assert "No plan fits" in staff.get(page(event)).text
    staff.get(page(event, "replay"))
    event.refresh_from_db()
    assert event.state == "failed"
    assert staff.post(page(event, "replay"), SAID)["HX-Redirect"] == page(event)
    event.refresh_from_db()
    assert (event.state, event.tries, event.error) == ("pending", 0, "")
    assert "Replayed" in staff.get(page(event, "history")).text


def test_many_are_replayed_at_once(staff: Client, event: InboxEvent) -> None:
    """S4: after a mistake of ours was put right."""
    events = [event, make_event("cus_2")]
    InboxEvent.objects.update(state="failed")
    data = {"action": "replay_selected", "_selected_action": [row.id for row in events]}
    assert "2 events are worked on again" in staff.post(reverse(LIST), data, follow=True).text
    assert set(InboxEvent.objects.values_list("state", flat=True)) == {"pending"}


def test_lag_stands_above_the_list(staff: Client, event: InboxEvent) -> None:
    """S4: how far behind we are."""
    make_event("cus_2", at=now() - timedelta(minutes=4))
    assert "1 waiting, 4 min behind, 1 given up" in staff.get(reverse(LIST)).text


def test_list_is_filtered_and_searched(staff: Client, event: InboxEvent) -> None:
    """S4: by state, type, and any id of Stripe's."""
    make_event("cus_2", type_="customer.deleted")
    for query in ({"state__exact": "failed"}, {"type": "customer.updated"}, {"q": "cus_1"}, {"q": event.event_id}):
        rows = staff.get(reverse(LIST), query).context["cl"].result_list
        assert [row.id for row in rows] == [event.id]


def test_clerk_needs_the_right(client: Client, event: InboxEvent) -> None:
    """F2: who may only look replays nothing."""
    clerk = make_user("clerk@example.com", is_staff=True)
    client.force_login(clerk)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_inboxevent"))
    assert page(event, "replay") not in client.get(page(event)).text
    assert client.post(page(event, "replay"), SAID).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename="change_inboxevent"))
    assert client.post(page(event, "replay"), SAID).status_code == 200
