"""Adding, checking, replacing and ending provider keys in the console (K2, K8, K9)."""

import pytest

from sandbox.providers.process import ProvidersSandbox
from tests.console.make import HTMX, QueryCount, make_client
from tests.make import Customer, make_customer
from tests.vault.make import key_text, make_assignment, make_credential
from vault.models import Assignment, Credential, CredentialVersion, KeyEncryptionKey

pytestmark = pytest.mark.usefixtures("vault")


def fields(**more: str) -> dict[str, str]:
    return {"api_key": key_text(), "place": "tenant", "which": "all", "name": "Production", **more}


def test_good_key_is_stored_and_assigned(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2, K4: for the whole tenant; the answer leads to its page, and no page has its text."""
    client = make_client(customer.tenant)
    response = client.post("/keys/add/openai", fields())
    key = Credential.objects.get(tenant=customer.tenant)
    assert (response.status_code, response["Location"]) == (302, f"/keys/{key.id}")
    assert [(row.workspace, row.model) for row in Assignment.objects.filter(credential=key)] == [(None, "")]
    page = client.get(f"/keys/{key.id}").text
    assert "OpenAI accepts the key." in page
    assert f"…{key_text()[-4:]}" in page
    assert key_text()[8:-4] not in page
    assert key_text() not in str(dict(client.session.items()))


def test_key_for_some_models_of_a_workspace(customer: Customer, providers: ProvidersSandbox) -> None:
    """K7: those that are named."""
    place = f"workspace:{customer.workspace.id.hex}"
    make_client(customer.tenant).post("/keys/add/openai", fields(place=place, which="some", named="gpt-4o, o4*"))
    rows = Assignment.objects.filter(tenant=customer.tenant).order_by("model")
    assert [(row.workspace, row.model) for row in rows] == [(customer.workspace, "gpt-4o"), (customer.workspace, "o4*")]


@pytest.mark.parametrize(
    ("state", "said"),
    [("invalid", "Nothing was stored."), ("unreachable", "Try again"), ("echo", "Nothing was stored.")],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "swap"])
def test_refused_key_comes_back_without_its_text(
    customer: Customer, providers: ProvidersSandbox, state: str, said: str, headers: dict[str, str]
) -> None:
    """K2: 422 with what to do; the key is nowhere in the answer, not even where it was pasted as a name."""
    text = key_text(state=state)
    client = make_client(customer.tenant)
    response = client.post("/keys/add/openai", fields(api_key=text, named=text), headers=headers)
    assert response.status_code == 422
    assert text not in response.text
    assert said.lower() in response.text.lower()
    assert not Credential.objects.filter(tenant=customer.tenant).exists()


@pytest.mark.parametrize("provider", ["deepgram", "groq"])
def test_renamed_to_its_own_text(customer: Customer, provider: str) -> None:
    """K2: 422, and the page does not repeat it, whatever form the text has."""
    key = make_credential(customer.tenant, provider, text="" if provider == "deepgram" else "Zq7-" * 6, name="Main")
    text = key_text(provider) if provider == "deepgram" else "Zq7-" * 6
    response = make_client(customer.tenant).post(f"/keys/{key.id}/change", {"name": text})
    assert (response.status_code, text in response.text) == (422, False)
    assert "looks like a key" in response.text
    assert Credential.objects.get(id=key.id).name == "Main"


def test_key_in_the_name_is_not_repeated(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2: pasted into the wrong field."""
    response = make_client(customer.tenant).post("/keys/add/openai", fields(name=key_text()))
    assert response.status_code == 422
    assert key_text() not in response.text


@pytest.mark.parametrize("state", ["restricted", "rate_limited"])
def test_key_that_works_in_part_is_stored(customer: Customer, providers: ProvidersSandbox, state: str) -> None:
    """K2, K9: with a warning."""
    client = make_client(customer.tenant)
    response = client.post("/keys/add/openai", fields(api_key=key_text(state=state)), follow=True)
    assert Credential.objects.get(tenant=customer.tenant).health == state
    assert "is stored." in response.text


def test_own_address_inside_the_network_is_refused(customer: Customer, providers: ProvidersSandbox) -> None:
    """K3: at its field."""
    response = make_client(customer.tenant).post("/keys/add/openai", fields(base_url="https://169.254.169.254"))
    assert response.status_code == 422
    assert "base_url" in response.context["page"].form.errors


def test_key_is_replaced_and_taken_back(customer: Customer, providers: ProvidersSandbox) -> None:
    """K8: version 2 is in use, version 1 kept; going back swaps them."""
    key = make_credential(customer.tenant)
    client = make_client(customer.tenant)
    new = key_text(state="tenant-2")
    response = client.post(f"/keys/{key.id}/rotate", {"api_key": new, "overlap_hours": "5"})
    assert response.status_code == 302
    key.refresh_from_db()
    assert key.current_number == 2
    page = client.get(f"/keys/{key.id}")
    assert [version.state for version in page.context["page"].versions] == ["current", "kept"]
    assert "Go back to version 1?" in page.text
    client.post(f"/keys/{key.id}/restore")
    key.refresh_from_db()
    assert key.current_number == 1


def test_refused_replacement_changes_nothing(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2, K8: 422, the old text stays in use, the new one is nowhere."""
    key = make_credential(customer.tenant)
    text = key_text(state="invalid")
    response = make_client(customer.tenant).post(f"/keys/{key.id}/rotate", {"api_key": text, "overlap_hours": "1"})
    assert response.status_code == 422
    assert text not in response.text
    assert CredentialVersion.objects.filter(credential=key).count() == 1


def test_check_now_swaps_the_health(customer: Customer, providers: ProvidersSandbox) -> None:
    """K9: what the provider says at once."""
    key = make_credential(customer.tenant, text=key_text(state="invalid"))
    response = make_client(customer.tenant).post(f"/keys/{key.id}/check", headers=HTMX)
    assert "<html" not in response.text
    assert response.context["page"].card.state == "invalid"


def test_key_is_disabled_enabled_renamed_and_revoked(customer: Customer) -> None:
    """K8, K10: a revoked key's text is gone, its assignment stays and is shown as broken."""
    key = make_credential(customer.tenant)
    make_assignment(customer.tenant, key)
    client = make_client(customer.tenant)
    client.post(f"/keys/{key.id}/switch", {"enabled": "0"})
    assert client.get(f"/keys/{key.id}").context["page"].card.state == "disabled"
    client.post(f"/keys/{key.id}/switch", {"enabled": "1"})
    client.post(f"/keys/{key.id}/change", {"name": "Other", "expires_on": "2027-01-05"})
    key.refresh_from_db()
    assert (key.name, key.disabled_at, str(key.expires_at)) == ("Other", None, "2027-01-05 00:00:00+00:00")
    assert "All of" in client.get(f"/keys/{key.id}").text
    client.post(f"/keys/{key.id}/revoke")
    page = client.get("/keys/").context["page"]
    assert [entry.card.state for entry in page.broken] == ["revoked"]


def test_queries_of_a_key(customer: Customer, django_assert_max_num_queries: QueryCount) -> None:
    """K10: few, whatever its past."""
    key = make_credential(customer.tenant)
    client = make_client(customer.tenant)
    with django_assert_max_num_queries(18):
        client.get(f"/keys/{key.id}")


def test_provider_that_is_not_known_is_not_found(customer: Customer, vault: KeyEncryptionKey) -> None:
    """K3: for the form and for an assignment."""
    client = make_client(make_customer("free").tenant)
    assert client.get("/keys/add/unknown").status_code == 404
    assert client.get("/keys/assignments/set?provider=unknown").status_code == 404
