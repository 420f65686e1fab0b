"""What became of e-mails and invitations, as staff read it (F2)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.notifications.models import Notice
from billing.notifications.services.send_notices import MOST_TRIES
from tenants.models import Invitation, Tenant
from tests.make import AT, make_tenant

pytestmark = pytest.mark.django_db


def invite(tenant: Tenant, name: str, *, lasts: timedelta, **ends: object) -> None:
    Invitation.objects.create(
        tenant=tenant,
        email=f"{name}@example.com",
        role="admin",
        digest=name.encode(),
        created_at=AT,
        sent_at=AT,
        expires_at=now() + lasts,
        **ends,
    )


def states(staff: Client, model: str) -> list[str]:
    """Of each row of the list, by its name."""
    changelist = staff.get(reverse(f"admin:{model}_changelist")).context["cl"]
    return [changelist.model_admin.state(row) for row in sorted(changelist.result_list, key=str)]


def test_state_of_an_email(staff: Client) -> None:
    """S8: sent, waiting for its first try, for another one, or given up."""
    tenant = make_tenant()
    for number, fields in enumerate(
        ({"sent_at": AT, "tries": 2}, {}, {"tries": 1, "error": "Busy"}, {"tries": MOST_TRIES, "error": "Refused"})
    ):
        told = {"kind": "low-balance", "key": str(number), "subject": str(number), "body": "-"} | fields
        Notice.objects.create(tenant=tenant, created_at=AT, due_at=AT, **told)
    assert states(staff, "billing_notifications_notice") == ["sent", "waiting", "tried again", "not sent"]


def test_state_of_an_invitation(staff: Client) -> None:
    """F4: one that was accepted or revoked is no longer open, nor one whose time is over."""
    tenant, day = make_tenant(), timedelta(days=1)
    invite(tenant, "ann", lasts=day)
    invite(tenant, "bob", lasts=day, accepted_at=AT)
    invite(tenant, "cleo", lasts=day, revoked_at=AT)
    invite(tenant, "dan", lasts=-day)
    assert states(staff, "tenants_invitation") == ["open", "accepted", "revoked", "expired"]
