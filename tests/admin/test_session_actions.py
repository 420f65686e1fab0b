"""What staff do to sessions."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.runtime.models import Session
from tenants.models import AuditEvent
from tests.admin.records import make_records

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


CONFIRMED = {"_form_submitted": "True"}


def button(session: Session, action: str) -> str:
    return reverse(f"admin:billing_runtime_session_{action}", args=[session.pk])


def act(staff: Client, session: Session, action: str) -> None:
    assert "HX-Redirect" in staff.post(button(session, action), CONFIRMED)


@pytest.fixture
def session() -> Session:
    make_records()
    Session.objects.update(lease_until=now() + timedelta(hours=1))
    return Session.objects.get()


def test_a_live_session_is_ended(staff: Client, session: Session) -> None:
    """P9, M9: its slot is free, and the tenant's audit log names who did it."""
    assert staff.get(button(session, "stop")).status_code == 200
    assert Session.objects.get().state == "running"
    act(staff, session, "stop")
    session.refresh_from_db()
    assert (session.state, session.stopped_for) == ("stopped", "hand")
    assert AuditEvent.objects.filter(action__startswith="session.").count() == 1


def test_a_stopped_session_is_allowed_again(staff: Client, session: Session) -> None:
    """M9: what was stopped wrongly runs again."""
    act(staff, session, "stop")
    act(staff, session, "allow")
    session.refresh_from_db()
    assert session.state == "cancelled"


def test_an_ended_session_has_no_button_to_end_it(staff: Client, session: Session) -> None:
    """F2: the page offers what can be done, and nothing else."""
    page = reverse("admin:billing_runtime_session_change", args=[session.pk])
    assert button(session, "stop") in staff.get(page).text
    act(staff, session, "stop")
    stopped = staff.get(page).text
    assert button(session, "stop") not in stopped
    assert button(session, "allow") in stopped
