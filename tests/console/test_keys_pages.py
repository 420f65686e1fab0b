"""Provider keys in the console: who sees them, the list, the switch and the policy (K4, K6, K10, K11)."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.urls import URLPattern, reverse

from billing.console.urls import urlpatterns
from billing.subscriptions.models import BillingAccount
from tenants.permissions import Role
from tests.console.make import QueryCount, make_client
from tests.make import Customer, make_customer
from tests.vault.make import make_assignment, make_credential
from vault.models import KeyEncryptionKey, KeyPolicy

POSTS = {"own_keys_switch", "key_policy", "key_unassign", "key_check", "key_change", "key_switch"} | {
    "key_rotate",
    "key_restore",
    "key_revoke",
}


def routes(*, of_one_key: bool = False) -> Iterator[str]:
    """Every route of the module, by name."""
    for pattern in urlpatterns:
        is_here = isinstance(pattern, URLPattern) and str(pattern.pattern).startswith("keys/")
        if is_here and ("key_id" in pattern.pattern.converters or not of_one_key):
            yield str(pattern.name)


def address(name: str, key_id: object) -> str:
    pattern = next(p for p in urlpatterns if p.name == name)
    arguments = {"provider": "openai", "key_id": key_id}
    return reverse(f"console:{name}", kwargs={k: arguments[k] for k in pattern.pattern.converters})


@pytest.mark.parametrize("role", [Role.BILLING, Role.DEVELOPER, Role.VIEWER])
@pytest.mark.parametrize("name", sorted(routes()))
def test_route_is_for_those_who_manage_the_tenant(
    customer: Customer, vault: KeyEncryptionKey, name: str, role: Role
) -> None:
    """K10: 403 on every route of the module, and no entry in the navigation."""
    key = make_credential(customer.tenant)
    client = make_client(customer.tenant, role)
    assert client.get(address(name, key.id)).status_code in {403, 405}
    assert client.post(address(name, key.id)).status_code in {403, 405}
    method = client.post if name in POSTS else client.get
    assert method(address(name, key.id)).status_code == 403
    assert "Provider keys" not in [item.label for item in client.get("/").context["console"].nav]


@pytest.mark.parametrize("name", sorted(routes(of_one_key=True)))
def test_foreign_key_is_not_found(customer: Customer, vault: KeyEncryptionKey, name: str) -> None:
    """K10, F4: a key of another tenant answers as one that does not exist."""
    foreign = make_credential(make_customer("free").tenant)
    client = make_client(customer.tenant)
    for key_id in (foreign.id, uuid4()):
        method = client.post if name in POSTS else client.get
        assert method(address(name, key_id)).status_code == 404
    foreign.refresh_from_db()
    assert (foreign.revoked_at, foreign.disabled_at) == (None, None)


def test_keys_are_listed_by_provider_with_their_last_four(customer: Customer, vault: KeyEncryptionKey) -> None:
    """K2, K4: what they are used for; nothing of the text but its end."""
    make_credential(customer.tenant, "openai", name="Production", text="sk-proj-0123456789abcdefWXYZ")
    key = make_credential(customer.tenant, "anthropic", name="Claude")
    make_assignment(customer.tenant, key, at_place=customer.workspace)
    response = make_client(customer.tenant).get("/keys/")
    page = response.context["page"]
    assert [group.name for group in page.groups] == ["Anthropic", "OpenAI"]
    assert page.groups[1].entries[0].card.last_four == "WXYZ"
    assert [line.place.path for line in page.groups[0].entries[0].used_for] == ["Main"]
    assert "0123456789abcdef" not in response.text


def test_broken_keys_come_first(customer: Customer, vault: KeyEncryptionKey) -> None:
    """K9: those that stop runs, with what to do; a key that was disabled without being used is no news."""
    make_credential(customer.tenant, name="Bad", health="invalid")
    page = make_client(customer.tenant).get("/keys/")
    assert [entry.card.name for entry in page.context["page"].broken] == ["Bad"]
    assert "Replace it with a key that its provider accepts." in page.text


def test_nothing_yet_says_what_own_keys_save(clock: object, catalogue: None, vault: KeyEncryptionKey) -> None:
    """K11: the plan's two prices."""
    customer = make_customer("pro")
    text = make_client(customer.tenant).get("/keys/").text
    assert "Add your first key" in text
    panel = make_client(customer.tenant).get("/keys/").context["page"].own_keys
    assert panel.saving == panel.platform_price - panel.own_price > 0
    assert panel.saving_url.startswith("/plans/change?plan=pro&terms=monthly-byok")


def test_vault_without_a_key_takes_none(customer: Customer) -> None:
    """K1: the page says so, and offers no form."""
    client = make_client(customer.tenant)
    assert "Keys cannot be added yet" in client.get("/keys/").text
    page = client.get("/keys/add/openai").text
    assert "Keys cannot be added yet" in page
    assert 'name="api_key"' not in page


@pytest.mark.parametrize("choice", ["strict", "fallback"])
def test_policy_is_chosen(customer: Customer, choice: str) -> None:
    """K6: for the whole tenant."""
    client = make_client(customer.tenant)
    assert client.post("/keys/policy", {"fallback": choice}).status_code == 302
    assert KeyPolicy.objects.get(tenant=customer.tenant).fallback == choice
    assert client.get("/keys/").context["page"].policy == choice
    assert client.post("/keys/policy", {"fallback": "else"}).status_code == 404


def test_policy_of_a_plan_on_own_keys_is_fixed(clock: object, catalogue: None) -> None:
    """K6: nothing to fall back on, and nothing to switch."""
    customer = make_customer("platform-starter")
    page = make_client(customer.tenant).get("/keys/").context["page"]
    assert (page.policy, page.is_policy_fixed, page.own_keys.is_on) == ("strict", True, True)


def test_switch_without_a_price_is_direct(customer: Customer) -> None:
    """K11: off and on again."""
    client = make_client(customer.tenant)
    client.post("/keys/own-keys")
    assert not BillingAccount.objects.get(id=customer.account.id).own_keys
    assert client.get("/keys/").context["page"].own_keys.is_on is False
    client.post("/keys/own-keys", {"enabled": "1"})
    assert BillingAccount.objects.get(id=customer.account.id).own_keys


def test_runs_follow_a_change_of_the_price(clock: object, catalogue: None) -> None:
    """K11: who changes to the other kind of price on the page that shows it runs on those keys from then on."""
    customer = make_customer("pro")
    client = make_client(customer.tenant)
    for terms, own in (("monthly-byok", True), ("monthly-standard", False)):
        client.post("/plans/change", {"plan": "pro", "terms": terms, "seats": "1", "key": str(uuid4())})
        assert BillingAccount.objects.get(id=customer.account.id).own_keys is own
        assert client.get("/keys/").context["page"].own_keys.is_on is own


def test_queries_of_the_list(
    customer: Customer, vault: KeyEncryptionKey, django_assert_max_num_queries: QueryCount
) -> None:
    """K4: the same for any number of keys and assignments."""
    client = make_client(customer.tenant)
    for _ in range(6):
        make_assignment(customer.tenant, make_credential(customer.tenant), f"model-{_}", at_place=customer.workspace)
    with django_assert_max_num_queries(22):
        client.get("/keys/")
