"""Making usage again from events in the staff admin."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.core.ids import decode_id
from billing.usage.models import Counter, PeriodRollup, UsageEvent
from billing.usage.services.flush_rollups import flush_all_rollups
from tenants.models import AuditEvent
from tests.admin.records import make_user
from tests.make import make_customer
from tests.money_make import event, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
CONFIRMED = {"_form_submitted": "True"}


@pytest.fixture
def reported() -> UsageEvent:
    recorded = report(make_customer(balance="1"), event())[0]
    flush_all_rollups()
    return UsageEvent.objects.get(id=decode_id("evt", str(recorded.event_id)))


def button(model: str, pk: object) -> str:
    return reverse(f"admin:billing_usage_{model}_rebuild", args=[pk])


@pytest.mark.parametrize("place", ["periodrollup", "usageevent"])
def test_wrong_figures_are_put_right(staff: Client, reported: UsageEvent, place: str) -> None:
    """U4, F2: rollups and counters follow from events again, what was wrong is said, and the audit log has it."""
    right = PeriodRollup.objects.get().cost
    PeriodRollup.objects.update(cost=Decimal(7))
    Counter.objects.filter(feature="executions_per_month").update(used=99)
    pk = PeriodRollup.objects.get().pk if place == "periodrollup" else reported.pk
    response = staff.post(button(place, pk), CONFIRMED)
    after = staff.get(response["HX-Redirect"])
    assert after.status_code == 200
    assert "2 figures were wrong" in after.text
    assert PeriodRollup.objects.get().cost == right
    assert Counter.objects.get(feature="executions_per_month").used == 1
    assert AuditEvent.objects.get(action="usage.rebuilt").detail["events"] == 1


def test_what_there_is_not_has_no_button(staff: Client) -> None:
    """F2: the dialog of an unknown object is 404, with an id or without sense."""
    assert staff.get(button("periodrollup", 99_999)).status_code == 404
    assert staff.get(button("usageevent", "abc")).status_code == 404


def test_right_figures_stay(staff: Client, reported: UsageEvent) -> None:
    """U4: a rebuild of what is right changes nothing and says so; opening the dialog rebuilds nothing."""
    assert staff.get(button("usageevent", reported.pk)).status_code == 200
    assert not AuditEvent.objects.filter(action="usage.rebuilt").exists()
    staff.post(button("usageevent", reported.pk), CONFIRMED)
    assert "nothing was wrong" in staff.get(reverse("admin:index"), follow=True).text


def test_who_may_only_look_has_no_button(client: Client, reported: UsageEvent) -> None:
    """F2: rebuilding needs the permission to change usage."""
    looks = make_user("looks@example.com", is_staff=True)
    looks.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(looks)
    assert client.post(button("usageevent", reported.pk), CONFIRMED).status_code == 403


def test_the_list_says_how_far_folding_is_behind(staff: Client) -> None:
    """U4: the lag is shown."""
    listed = reverse("admin:billing_usage_periodrollup_changelist")
    assert "All usage is folded." in staff.get(listed).text
    report(make_customer(balance="1"), event())
    assert "Changes that are not folded yet: 1" in staff.get(listed).text
