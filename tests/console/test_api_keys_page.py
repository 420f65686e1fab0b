"""The API keys page (F1, F3, K10)."""

import re

from django.test import Client

from tenants.api_keys import digest_of, is_well_formed
from tenants.models import ApiKey, AuditEvent
from tests.console.make import HTMX, QueryCount, make_client, make_member, signed_in
from tests.make import Customer, make_api_key, make_customer, make_workspace

FIELDS = {"name": "Runtime", "scopes": ["billing.view", "usage.write"], "workspace": ""}
PLAIN = re.compile(r"qk_[0-9A-Za-z]{38}")


def test_new_key_is_shown_once(customer: Customer) -> None:
    """K2, F3: on the answer to the form, which nobody stores; never again."""
    client = make_client(customer.tenant)
    response = client.post("/api-keys/create", FIELDS)
    (plain,) = set(PLAIN.findall(response.text))
    assert is_well_formed(plain)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    key = ApiKey.objects.get(digest=digest_of(plain))
    assert (key.name, key.scopes, key.workspace, key.tenant) == (
        "Runtime",
        ["billing.view", "usage.write"],
        None,
        customer.tenant,
    )
    later = client.get("/api-keys/").text
    assert PLAIN.search(later) is None
    assert f"qk_…{plain[-4:]}" in later


def test_swap_is_the_panel(customer: Customer) -> None:
    """F1: htmx gets the panel with the key, others the page."""
    client = make_client(customer.tenant)
    panel, page = client.post("/api-keys/create", FIELDS, headers=HTMX), client.post("/api-keys/create", FIELDS)
    assert "<html" not in panel.text
    assert "<html" in page.text
    assert panel["Cache-Control"] == "no-store"
    assert PLAIN.search(panel.text) is not None


def test_refused_form_comes_back_with_its_errors(customer: Customer) -> None:
    """F1: 422, what was typed stays, nothing is made."""
    client = make_client(customer.tenant)
    before = ApiKey.objects.count()
    for headers in ({}, HTMX):
        response = client.post("/api-keys/create", {"name": "No scope"}, headers=headers)
        assert response.status_code == 422
        assert response.context["page"].form.errors == {"scopes": ["This field is required."]}
        assert 'value="No scope"' in response.text
    assert ApiKey.objects.count() == before


def test_console_gives_no_scope_that_hands_out_provider_keys(customer: Customer) -> None:
    """K5, K12: an owner has the permission and is not offered the scope, nor given it when the form is forged."""
    client = make_client(customer.tenant)
    assert 'value="runtime"' not in client.get("/api-keys/").text
    response = client.post("/api-keys/create", FIELDS | {"scopes": ["runtime", "usage.write"]})
    assert response.status_code == 422
    assert not ApiKey.objects.filter(name="Runtime").exists()


def test_key_of_one_workspace(customer: Customer) -> None:
    """F3: of the tenant's own workspaces; a foreign one is no choice."""
    foreign = make_workspace(make_customer("free").tenant, "foreign")
    client = make_client(customer.tenant)
    assert client.post("/api-keys/create", FIELDS | {"workspace": str(foreign.id)}).status_code == 422
    assert client.post("/api-keys/create", FIELDS | {"workspace": str(customer.workspace.id)}).status_code == 200
    assert ApiKey.objects.get(name="Runtime").workspace == customer.workspace


def test_making_and_revoking_are_in_the_audit_log(customer: Customer) -> None:
    """K10: who did it, and nothing of the secret but its last four."""
    user = make_member(customer.tenant)
    client = signed_in(user)
    plain = PLAIN.findall(client.post("/api-keys/create", FIELDS).text)[0]
    key = ApiKey.objects.get(name="Runtime")
    response = client.post(f"/api-keys/{key.id}/revoke")
    assert (response.status_code, response["Location"]) == (302, "/api-keys/")
    events = AuditEvent.objects.filter(target=str(key.id)).order_by("id")
    assert [(event.action, event.actor_user) for event in events] == [
        ("api_key.created", user),
        ("api_key.revoked", user),
    ]
    assert all(plain[3:-4] not in str(event.detail) for event in events)
    assert "The key “Runtime” is revoked." in client.get("/api-keys/").text


def test_revoked_key_is_refused_from_then_on(customer: Customer) -> None:
    """F3: it stays in the list, marked, after those in force."""
    newer = make_api_key(customer.tenant)
    client = make_client(customer.tenant)
    client.post(f"/api-keys/{newer.row.id}/revoke")
    rows = client.get("/api-keys/").context["page"].keys
    assert [(row.id, row.revoked_at is None) for row in rows] == [(customer.key.row.id, True), (newer.row.id, False)]


def test_foreign_key_is_not_found(customer: Customer) -> None:
    """F4: neither listed nor revoked by another tenant."""
    other = make_customer("free")
    client = make_client(other.tenant)
    assert client.post(f"/api-keys/{customer.key.row.id}/revoke").status_code == 404
    assert [row.id for row in client.get("/api-keys/").context["page"].keys] == [other.key.row.id]
    customer.key.row.refresh_from_db()
    assert customer.key.row.revoked_at is None


def test_forms_need_the_token_of_the_page(customer: Customer) -> None:
    """F4: no other site makes or revokes keys with a member's cookies."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_member(customer.tenant))
    assert strict.post("/api-keys/create", FIELDS).status_code == 403
    assert strict.post(f"/api-keys/{customer.key.row.id}/revoke").status_code == 403


def test_address_of_the_form_leads_back_to_the_list(customer: Customer) -> None:
    """F1: a reload after the browser forgot what was posted."""
    response = make_client(customer.tenant).get("/api-keys/create")
    assert (response.status_code, response["Location"]) == (302, "/api-keys/")


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, workspaces, keys, frame: the same for any number of keys."""
    client = make_client(customer.tenant)
    for _ in range(5):
        make_api_key(customer.tenant, workspace=customer.workspace)
    with django_assert_num_queries(7):
        client.get("/api-keys/")
