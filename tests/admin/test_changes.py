"""What staff change by hand, and how it is written down."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.plans.models import Model, ModelPrice
from billing.subscriptions.models import BillingAccount, EntitlementOverride
from tenants.api_keys import digest_of
from tenants.models import ApiKey, AuditEvent, Membership, User
from tenants.permissions import Permission as Scope
from tenants.queries import find_caller
from tests.admin.records import make_override, make_records, make_user
from tests.make import Customer, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

OVERRIDE = "admin:billing_subscriptions_entitlementoverride"
PRICE = "admin:billing_plans_modelprice"


def actions(customer: Customer) -> list[tuple[str, str]]:
    """The tenant's audit log as (action, actor's address)."""
    events = AuditEvent.objects.filter(tenant=customer.tenant, actor_user__isnull=False).order_by("id")
    return list(events.values_list("action", "actor_user__email"))


def test_api_key_is_revoked(staff: Client) -> None:
    """F2, K10: staff take a key back, and the tenant's audit log names them."""
    customer = make_customer()
    key = customer.key.row
    staff.post(reverse("admin:tenants_apikey_changelist"), {"action": "revoke", "_selected_action": [key.id]})
    assert ApiKey.objects.get(id=key.id).revoked_at is not None
    assert actions(customer) == [("api_key.revoked", "root@example.com")]


def test_runtime_key_is_shown_once(staff: Client) -> None:
    """K5, F2: staff make the key of a runtime; its text is in the answer that made it and nowhere else."""
    customer = make_customer()
    form = {"tenant": customer.tenant.id, "workspace": "", "name": "Voice runtime"}
    made = staff.post(reverse("admin:tenants_apikey_add"), form)
    key = ApiKey.objects.get(name="Voice runtime")
    shown = re.search(r"<code>(qk_\w+)</code>", made.text)
    assert shown is not None
    caller = find_caller(digest_of(shown[1]))
    assert caller is not None
    assert (caller.tenant_id, caller.scopes) == (customer.tenant.id, {Scope.RUNTIME})
    assert shown[1] not in staff.get(reverse("admin:tenants_apikey_change", args=[key.id])).text
    assert actions(customer) == [("api_key.created", "root@example.com")]


def test_runtime_key_stays_inside_its_tenant(staff: Client) -> None:
    """K5: a workspace of another tenant is refused."""
    customer, other = make_customer(), make_customer()
    form = {"tenant": customer.tenant.id, "workspace": other.workspace.id, "name": "Voice runtime"}
    assert "belongs to another tenant" in staff.post(reverse("admin:tenants_apikey_add"), form).text
    assert not ApiKey.objects.filter(name="Voice runtime").exists()


def test_override_is_written_down(staff: Client) -> None:
    """P3, F2: an exception carries who made it, and raises the account's version, so that it counts at once."""
    customer = make_customer()
    version = BillingAccount.objects.get(id=customer.account.id).version
    form = {"account": customer.account.id, "feature": "agents_limit", "value": "50", "reason": "Agreed by letter"}
    assert staff.post(reverse(f"{OVERRIDE}_add"), form).status_code == 302
    override = EntitlementOverride.objects.get()
    assert (override.value, override.created_by and override.created_by.email) == (50, "root@example.com")
    assert actions(customer) == [("entitlement_override.set", "root@example.com")]
    assert BillingAccount.objects.get(id=customer.account.id).version > version


@pytest.mark.parametrize(("text", "value"), [("unlimited", None), ("7", 7)])
def test_override_is_changed(text: str, value: object, staff: Client) -> None:
    """P3: unlimited is `null`, and the account of an exception stays."""
    override = make_override(make_customer())
    form = {"feature": "agents_limit", "value": text, "reason": "Agreed again"}
    assert staff.post(reverse(f"{OVERRIDE}_change", args=[override.pk]), form).status_code == 302
    assert EntitlementOverride.objects.get().value == value


def test_override_of_a_wrong_kind_is_refused(staff: Client) -> None:
    """P3: the value is held to the feature's kind."""
    customer = make_customer()
    form = {"account": customer.account.id, "feature": "mcp_enabled", "value": "5", "reason": "Typing error"}
    assert "MCP servers takes yes or no." in staff.post(reverse(f"{OVERRIDE}_add"), form).text
    assert not EntitlementOverride.objects.exists()


def test_override_is_taken_back(staff: Client) -> None:
    """P3, F2: that, too, is in the tenant's audit log."""
    customer = make_customer()
    override = make_override(customer)
    staff.post(reverse(f"{OVERRIDE}_delete", args=[override.pk]), {"post": "yes"})
    assert not EntitlementOverride.objects.exists()
    assert actions(customer) == [("entitlement_override.removed", "root@example.com")]


def price_form(model: Model, **changes: Any) -> dict[str, Any]:
    form = {"model": model.id, "input_per_million": "3", "output_per_million": "9", "long_context": "[]"}
    return form | {"effective_from_0": "", "effective_from_1": ""} | changes


def test_price_of_staff_is_a_new_row(staff: Client) -> None:
    """R1: it is in force at once and marked as staff's own, so that no list overwrites it."""
    model = Model.objects.get(provider="openai", name="gpt-4o")
    assert staff.post(reverse(f"{PRICE}_add"), price_form(model)).status_code == 302
    price = model.prices.latest("effective_from")
    assert (price.source, price.input_per_million, model.prices.count()) == ("staff", Decimal(3), 2)
    assert now() - price.effective_from < timedelta(minutes=1)


def test_price_does_not_begin_in_the_past(staff: Client) -> None:
    """M11: what is rated already stays rated."""
    model = Model.objects.get(provider="openai", name="gpt-4o")
    form = price_form(model, effective_from_0="2026-01-01", effective_from_1="00:00")
    assert "does not begin in the past" in staff.post(reverse(f"{PRICE}_add"), form).text
    assert model.prices.count() == 1


@pytest.mark.parametrize(
    "bands", ['[{"above_input_tokens": 1}]', '[{"above_input_tokens": 1, "input_per_million": 1.5}]', '{"a": 1}', "[3]"]
)
def test_bands_that_are_none_are_refused(bands: str, staff: Client) -> None:
    """R1, M11: bands for long requests are complete, and their rates no floats."""
    model = Model.objects.get(provider="openai", name="gpt-4o")
    assert "A list of objects with" in staff.post(reverse(f"{PRICE}_add"), price_form(model, long_context=bands)).text
    assert model.prices.count() == 1


def test_prices_are_never_changed(staff: Client) -> None:
    """R1: a price that is in force is history from its first instant on."""
    price = ModelPrice.objects.all()[0]
    assert staff.post(reverse(f"{PRICE}_change", args=[price.id]), {}).status_code == 403
    assert staff.post(reverse(f"{PRICE}_delete", args=[price.id]), {"post": "yes"}).status_code == 403


def test_account_threshold_is_changed(staff: Client) -> None:
    """M3, F2: staff set name and low-balance threshold of an account, and nothing else of it."""
    account = make_customer().account
    empty = {f"{prefix}-{part}_FORMS": 0 for prefix in INLINES for part in ("TOTAL", "INITIAL")}
    form = empty | {"name": "Main", "low_balance_threshold": "25.50", "currency": "EUR"}
    url = reverse("admin:billing_subscriptions_billingaccount_change", args=[account.id])
    assert staff.post(url, form).status_code == 302
    changed = BillingAccount.objects.get(id=account.id)
    assert (changed.name, changed.low_balance_threshold, changed.currency) == ("Main", Decimal("25.50"), "USD")


INLINES = ("subscriptions", "overrides", "controls", "workspace_links")


def test_member_is_added(staff: Client) -> None:
    """F2: staff let somebody into a tenant, and the tenant's audit log names them."""
    customer, user = make_customer(), make_user()
    form = {
        "name": "Renamed",
        "timezone": "Europe/Berlin",
        "workspaces-TOTAL_FORMS": 0,
        "workspaces-INITIAL_FORMS": 0,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": user.pk,
        "memberships-0-role": "admin",
    }
    url = reverse("admin:tenants_tenant_change", args=[customer.tenant.id])
    assert staff.post(url, form).status_code == 302
    assert Membership.objects.get(tenant=customer.tenant).user == user
    assert actions(customer) == [("member.added", "root@example.com")]


def test_last_owner_cannot_be_taken_away(staff: Client) -> None:
    """F4: the form says so; nothing is changed."""
    customer = make_customer()
    owner = Membership.objects.create(tenant=customer.tenant, user=make_user(), role="owner")
    form = {
        "name": "Renamed",
        "timezone": "Europe/Berlin",
        "workspaces-TOTAL_FORMS": 0,
        "workspaces-INITIAL_FORMS": 0,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": owner.pk,
        "memberships-0-tenant": customer.tenant.id,
        "memberships-0-user": owner.user_id,
        "memberships-0-role": "owner",
    }
    url = reverse("admin:tenants_tenant_change", args=[customer.tenant.id])
    for change in ({"memberships-0-role": "viewer"}, {"memberships-0-DELETE": "on"}):
        refused = staff.post(url, form | change)
        assert (refused.status_code, "A tenant keeps at least one owner." in refused.text) == (200, True)
    assert staff.post(url, form).status_code == 302
    assert Membership.objects.get(tenant=customer.tenant).role == "owner"


def test_user_is_added_with_a_hashed_password(staff: Client) -> None:
    """F4: a password is never kept as it was written."""
    form = {"email": "New@Example.com", "usable_password": "true"} | dict.fromkeys(
        ("password1", "password2"), "ninE-lives7"
    )
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert staff.post(reverse("admin:tenants_user_add"), form | empty).status_code == 302
    user = User.objects.get(email__iexact="new@example.com")
    assert user.check_password("ninE-lives7")


def test_password_page(staff: Client) -> None:
    """F4: the form to set somebody's password works."""
    user = make_user()
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    assert staff.get(url).status_code == 200
    staff.post(url, {"usable_password": "true", "password1": "ninE-lives7", "password2": "ninE-lives7"})
    assert User.objects.get(pk=user.pk).check_password("ninE-lives7")


def test_staff_do_not_raise_themselves(client: Client) -> None:
    """F2: who may edit users gives nobody rights, and touches no superuser."""
    clerk, root = make_user("clerk@example.com", is_staff=True), make_user("root@example.com", is_superuser=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    client.force_login(clerk)
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    form = empty | {"email": clerk.email, "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(reverse("admin:tenants_user_change", args=[clerk.pk]), form)
    assert not User.objects.get(pk=clerk.pk).is_superuser
    assert client.post(reverse("admin:tenants_user_change", args=[root.pk]), form).status_code == 403
    assert client.get(reverse("admin:auth_user_password_change", args=[root.pk])).status_code == 403


def test_second_factor_is_taken_away(staff: Client) -> None:
    """F4: whoever lost their phone gets in again by staff's hand."""
    make_records()
    factor = Authenticator.objects.get()
    staff.post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})
    assert not Authenticator.objects.exists()
