"""The demo's provider keys (K12, K4)."""

from typing import Any

import pytest
from pytest_django import Settings

from billing.runtime.models import ProviderBudget
from sandbox.demo.people import AGENTS, DEMO_TENANT
from sandbox.demo.provider_keys import furnish_keys
from sandbox.providers.process import ProvidersSandbox
from tenants.models import Office, Tenant
from tests.make import AT, make_customer
from vault.models import AllowedHost, Assignment, Credential, KeyEncryptionKey

PLATFORM = ["anthropic", "deepseek", "google", "groq", "openai", "openai", "openrouter", "together"]


@pytest.fixture
def tenant(own_vault: KeyEncryptionKey, providers: ProvidersSandbox) -> Tenant:
    customer = make_customer("payg", slug=DEMO_TENANT)
    for slug in AGENTS:
        Office.objects.create(workspace=customer.workspace, slug=slug, name=slug.title())
    return customer.tenant


def everything() -> list[Any]:
    models = (Credential, Assignment, ProviderBudget, AllowedHost)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def test_keys_are_furnished_once(tenant: Tenant) -> None:
    """Each start adds what is missing and changes nothing that is there."""
    furnish_keys(at=AT)
    platform = Credential.objects.filter(tenant=None).order_by("provider", "name")
    assert [key.provider for key in platform] == PLATFORM
    assert {key.health for key in platform} == {"valid"}
    assert {key.name: key.weight for key in platform.filter(provider="openai")} == {"Main": 3, "Reserve": 1}
    own = Credential.objects.filter(tenant=tenant).order_by("provider")
    assert [(key.provider, key.health) for key in own] == [
        ("anthropic", "valid"),
        ("google", "invalid"),
        ("groq", "valid"),
    ]
    assigned = Assignment.objects.order_by("provider").values_list("provider", "office__slug", "workspace")
    sales = Office.objects.get(slug="sales")
    assert list(assigned) == [("anthropic", "sales", sales.workspace_id), ("groq", None, None)]
    before = everything()
    furnish_keys(at=AT)
    assert everything() == before


def test_a_key_that_somebody_removed_does_not_come_back(tenant: Tenant) -> None:
    furnish_keys(at=AT)
    Assignment.objects.all().delete()
    furnish_keys(at=AT)
    assert not Assignment.objects.exists()


def test_the_sandbox_of_another_port_is_not_allowed_any_more(
    tenant: Tenant, providers: ProvidersSandbox, settings: Settings
) -> None:
    AllowedHost.objects.create(host="127.0.0.1", port=1, note="The providers' sandbox of the demo", created_at=AT)
    furnish_keys(at=AT)
    assert [host.port for host in AllowedHost.objects.all()] == [providers.port]


def test_real_providers_are_never_shown_made_up_keys(tenant: Tenant, settings: Settings) -> None:
    settings.PROVIDERS_HOST = ""
    furnish_keys(at=AT)
    assert not Credential.objects.exists()
