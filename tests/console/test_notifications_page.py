"""The notifications page: everybody chooses their e-mails (N1)."""

import pytest

from billing.notifications.kinds import Category
from billing.notifications.recipients import recipients_of
from tenants.permissions import Role
from tests.console.make import make_client, make_member, signed_in
from tests.make import Customer


def test_choice_is_kept(customer: Customer) -> None:
    """N1: what is not ticked is not sent; the page shows it so."""
    make_member(customer.tenant)
    user = make_member(customer.tenant, Role.BILLING)
    client = signed_in(user)
    response = client.post("/notifications/", {"balance": "on", "nonsense": "on"}, follow=True)
    assert "Saved." in response.text
    assert [row.id for row in response.context["page"].rows if row.is_on] == ["balance"]
    assert user.email in recipients_of(customer.tenant.id, Category.BALANCE)
    assert user.email not in recipients_of(customer.tenant.id, Category.PAYMENTS)


def test_owner_keeps_payments(customer: Customer) -> None:
    """S8: shown as fixed, and a form without it changes nothing."""
    user = make_member(customer.tenant)
    response = signed_in(user).post("/notifications/", {}, follow=True)
    assert [(row.id, row.is_fixed) for row in response.context["page"].rows if row.is_on] == [("payments", True)]
    assert recipients_of(customer.tenant.id, Category.PAYMENTS) == [user.email]


@pytest.mark.parametrize(("role", "count"), [(Role.ADMIN, 6), (Role.BILLING, 4), (Role.VIEWER, 0)])
def test_role_sees_what_it_gets(customer: Customer, role: Role, count: int) -> None:
    """N1: who gets none is told so."""
    response = make_client(customer.tenant, role).get("/notifications/")
    assert len(response.context["page"].rows) == count
    assert ("Your role gets no e-mails" in response.text) == (count == 0)
