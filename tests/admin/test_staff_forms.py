"""What staff type of providers and hosts: only what there is, and no key, which no page shows again (K2, K3, K12)."""

import pytest
from django.test import Client
from django.urls import reverse

from billing.runtime.models import ProviderBudget
from tests.vault.make import key_text, make_credential
from vault.models import AllowedHost, PlatformKey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]
TEXTS = [key_text(), key_text("deepgram"), key_text("postmark")]


def add(staff: Client, model: str, **fields: str) -> str:
    return staff.post(reverse(f"admin:{model}_add"), fields, follow=True).text


def budget(staff: Client, **changed: str) -> str:
    return add(
        staff, "billing_runtime_providerbudget", **{"provider": "groq", "period": "day", "amount": "5"} | changed
    )


def host(staff: Client, **changed: str) -> str:
    return add(staff, "vault_allowedhost", **{"host": "models.internal", "port": "11434", "note": ""} | changed)


def test_budget_of_a_known_provider(staff: Client) -> None:
    """K12: chosen from those that the platform can have a key of, or that models are priced for."""
    for text in ("nobody", "ollama"):
        assert "Choose a provider of the list." in budget(staff, provider=text)
    for text in TEXTS:
        assert text not in budget(staff, provider=text, amount=text)
    assert not ProviderBudget.objects.exists()
    page = budget(staff, amount="-1")
    assert ("Constraint" in page, "at least 0" in page) == (False, True)
    budget(staff)
    assert ProviderBudget.objects.get().provider == "groq"


@pytest.mark.parametrize("text", ["*", "http://x", "a b", "2130706433", "0x7f.1", "models_1", "x/y", "u@x", "x:80"])
def test_host_that_is_none(staff: Client, text: str) -> None:
    """K3: by the rules of the hosts of base URLs."""
    assert "neither a name nor an address" in host(staff, host=text)
    assert not AllowedHost.objects.exists()


def test_host_in_its_one_spelling(staff: Client) -> None:
    """K3: as base URLs are compared with it."""
    for text in ("Models.Internal.", "10.0.0.5", "[FD00:0::1]"):
        host(staff, host=text)
    assert sorted(AllowedHost.objects.values_list("host", flat=True)) == ["10.0.0.5", "fd00::1", "models.internal"]
    host(staff, host="MODELS.internal")
    assert AllowedHost.objects.count() == 3


@pytest.mark.parametrize("port", ["0", "70000", "-1"])
def test_port_that_is_none(staff: Client, port: str) -> None:
    """K3: from 1 to 65535."""
    page = host(staff, port=port)
    assert "A port is a number from 1 to 65535." in page
    assert not AllowedHost.objects.exists()


@pytest.mark.parametrize("field", ["host", "note", "port"])
def test_key_of_a_provider_among_hosts(staff: Client, field: str) -> None:
    """K2: refused, and not shown again."""
    for text in TEXTS:
        page = host(staff, **{field: text})
        assert text not in page
        assert text.lower() not in page
    assert not AllowedHost.objects.exists()


@pytest.mark.parametrize("weight", ["0", "99999"])
def test_weight_that_is_none(staff: Client, weight: str) -> None:
    """K12: in a sentence."""
    key = make_credential(None)
    page = staff.post(
        reverse("admin:vault_platformkey_change", args=[key.id]), {"name": key.name, "weight": weight}
    ).text
    assert ("Constraint" in page, "A weight is a whole number from 1 to 1000." in page) == (False, True)
    assert PlatformKey.objects.get().weight == 1
