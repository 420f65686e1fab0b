"""Who sees which page (F1, F4)."""

import uuid

import pytest
from django.test import Client

from billing.console.queries import accounts_open_to
from tenants.models import Membership
from tenants.permissions import Role
from tests.console.make import HTMX, QueryCount, make_client, make_member, make_user, signed_in
from tests.make import Customer, make_account, make_customer, make_tenant

OPEN_TO_ALL = (
    "/",
    "/usage/",
    "/sessions/",
    "/alerts/",
    "/credits/",
    "/plans/",
    "/invoices/",
    "/billing/",
    "/notifications/",
)
PAGES = (*OPEN_TO_ALL, "/api-keys/", "/members/", "/webhooks/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_visitor_signs_in_first(path: str) -> None:
    """F4: nothing is shown to somebody who has not signed in."""
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/account/login/?next={path}"


@pytest.mark.django_db
def test_swap_of_an_ended_session_leads_the_whole_page_to_the_sign_in() -> None:
    """F4: the sign-in form never appears inside a page."""
    response = Client().get(
        "/usage/?period=previous",
        headers=HTMX | {"HX-Current-URL": "http://testserver/usage/?period=previous"},
    )
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/account/login/?next=/usage/%3Fperiod%3Dprevious"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", OPEN_TO_ALL)
def test_every_role_reads_the_figures(customer: Customer, role: Role, path: str) -> None:
    """F1: each role carries billing.view."""
    assert make_client(customer.tenant, role).get(path).status_code == 200


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.BILLING, 403), (Role.DEVELOPER, 403), (Role.VIEWER, 403)],
)
def test_keys_are_for_those_who_manage_the_tenant(customer: Customer, role: Role, status: int) -> None:
    """K10, F4: without tenant.manage the page is refused and not in the navigation."""
    client = make_client(customer.tenant, role)
    response = client.get("/api-keys/")
    assert response.status_code == status
    assert ("No access</h1>" in response.text) == (status == 403)
    labels = [item.label for item in client.get("/").context["console"].nav]
    assert ("API keys" in labels) == (status == 200)


@pytest.mark.parametrize("role", [Role.BILLING, Role.DEVELOPER, Role.VIEWER])
def test_keys_cannot_be_made_or_revoked_by_others(customer: Customer, role: Role) -> None:
    """K10: the forms are refused as the page is."""
    client = make_client(customer.tenant, role)
    assert client.post("/api-keys/create", {"name": "x", "scopes": ["runtime"]}).status_code == 403
    assert client.post(f"/api-keys/{customer.key.row.id}/revoke").status_code == 403
    customer.key.row.refresh_from_db()
    assert customer.key.row.revoked_at is None


@pytest.mark.django_db
def test_staff_without_a_tenant_are_shown_the_way_to_the_admin() -> None:
    """F1, F2: the console is empty for them, not broken."""
    response = signed_in(make_user(is_staff=True)).get("/")
    assert response.status_code == 200
    assert 'href="/admin/"' in response.text


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_person_without_a_tenant_sees_no_page(path: str) -> None:
    """F4: a page says so, and does not point to the admin."""
    response = signed_in(make_user()).get(path)
    assert "No billing account to show" in response.text
    assert "/admin/" not in response.text


def test_tenant_without_an_account_has_nothing_to_show(customer: Customer) -> None:
    """F1: a membership alone opens no page."""
    assert "No billing account to show" in make_client(make_tenant("empty")).get("/").text


def test_first_page_is_the_default_account(customer: Customer) -> None:
    """P11: of several accounts a tenant's default one comes first."""
    make_account(customer.tenant, "pro", name="A second one", is_default=False)
    response = make_client(customer.tenant).get("/")
    assert response.context["console"].account_name == "Default"
    assert [option.detail for option in response.context["console"].switch_options] == ["Default", "A second one"]


def test_member_switches_between_accounts_and_tenants(customer: Customer) -> None:
    """P11, F4: the choice stays for the session."""
    other = make_customer("free", slug="zeta")
    user = make_member(customer.tenant)
    make_member(other.tenant, Role.VIEWER, user=user)
    client = signed_in(user)
    assert client.get("/").context["page"].plan_slug == "payg"
    response = client.post(f"/switch/{other.account.id}")
    assert (response.status_code, response["Location"]) == (302, "/")
    page = client.get("/")
    assert (page.context["console"].tenant_name, page.context["page"].plan_slug) == ("Zeta", "free")
    assert client.get("/api-keys/").status_code == 403


def test_foreign_account_is_not_found(customer: Customer) -> None:
    """F4: an account of another tenant answers as one that does not exist."""
    foreign = make_customer("free", slug="zeta")
    client = make_client(customer.tenant)
    assert client.post(f"/switch/{foreign.account.id}").status_code == 404
    assert client.post(f"/switch/{uuid.uuid4()}").status_code == 404
    assert client.get("/").context["console"].tenant_name == "Acme"


def test_switch_is_no_link(customer: Customer) -> None:
    """F4: what changes the session is a POST, with the protection that posts have."""
    client = make_client(customer.tenant)
    assert client.get(f"/switch/{customer.account.id}").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_member(customer.tenant))
    assert strict.post(f"/switch/{customer.account.id}").status_code == 403


def test_chosen_account_is_checked_on_every_request(customer: Customer) -> None:
    """F4: who leaves a tenant loses its pages at once, in the running session too."""
    other = make_customer("free", slug="zeta")
    user = make_member(customer.tenant)
    make_member(other.tenant, Role.ADMIN, user=user)
    client = signed_in(user)
    client.post(f"/switch/{other.account.id}")
    Membership.objects.filter(tenant=other.tenant).delete()
    assert client.get("/").context["console"].tenant_name == "Acme"


def test_open_accounts_cost_two_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: however many tenants a person belongs to."""
    user = make_member(customer.tenant)
    for slug in ("beta", "gamma"):
        make_member(make_customer("free", slug=slug).tenant, user=user)
    with django_assert_num_queries(2):
        names = [entry.account.tenant.name for entry in accounts_open_to(user.id)]
    assert names == ["Acme", "Beta", "Gamma"]


def test_signing_out_ends_the_session(customer: Customer) -> None:
    """F4: by a POST, to the sign-in page."""
    client = make_client(customer.tenant)
    assert client.post("/account/logout/").status_code == 302
    assert client.get("/").status_code == 302
