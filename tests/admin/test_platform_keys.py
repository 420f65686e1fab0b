"""The platform's own keys, as staff run them."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from sandbox.providers.process import ProvidersSandbox
from tests.vault.make import key_text, make_credential
from vault.models import CredentialVersion, PlatformKey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]
CONFIRM = {"_form_submitted": "True"}


def on(key: object, action: str) -> str:
    return reverse(f"admin:vault_platformkey_{action}", args=[getattr(key, "pk", key)])


def add(staff: Client, text: str, name: str = "Main") -> str:
    form = {"provider": "openai", "name": name, "key": text, "weight": "3"}
    return staff.post(reverse("admin:vault_platformkey_add"), form, follow=True).text


def test_key_is_added(staff: Client, providers: ProvidersSandbox) -> None:
    """K2, K12: asked about, then stored; its text is on no page and in no log of staff's."""
    text = providers.key("openai")
    page = add(staff, text)
    key = PlatformKey.objects.get()
    assert (key.tenant_id, key.weight, key.health) == (None, 3, "valid")
    assert text not in page
    assert text not in staff.get(on(key, "change")).text
    assert not any(text in entry.change_message for entry in LogEntry.objects.all())


def test_bad_key_is_refused(staff: Client, providers: ProvidersSandbox) -> None:
    """K2: the form says so, and neither stores nor repeats it."""
    text = providers.key("openai", "invalid")
    page = add(staff, text)
    assert "does not accept this key" in page
    assert text not in page
    assert not PlatformKey.objects.exists()


def test_key_in_another_field_is_not_repeated(staff: Client, providers: ProvidersSandbox) -> None:
    """K2: pasted into the name of a new key, of one that is there, or into the hours of a rotation."""
    text = providers.key("groq")
    key = make_credential(None)
    page = add(staff, text, name=text)
    assert "looks like a key" in page
    renamed = staff.post(on(key, "change"), {"name": text, "weight": "1"})
    assert (renamed.status_code, "looks like a key" in renamed.text) == (200, True)
    rotated = staff.post(on(key, "rotate"), CONFIRM | {"key": text, "overlap_hours": text})
    assert text not in page + renamed.text + rotated.text


def test_renamed_to_its_own_text(staff: Client) -> None:
    """K2: of a form of its own or not; the page does not repeat it."""
    for provider in ("deepgram", "twilio"):
        key = make_credential(None, provider, name="Main")
        text = key_text(provider).rpartition(":")[2]
        page = staff.post(on(key, "change"), {"name": text, "weight": "1"}).text
        assert "looks like a key" in page
        assert text not in page
        assert PlatformKey.objects.get(id=key.id).name == "Main"


def test_name_twice_is_refused(staff: Client, providers: ProvidersSandbox) -> None:
    """K12: two keys of a provider have two names."""
    add(staff, providers.key("openai"))
    assert "a key of this name already" in add(staff, providers.key("openai"))
    assert PlatformKey.objects.count() == 1


def test_key_is_rotated_and_gone_back_to(staff: Client, providers: ProvidersSandbox) -> None:
    """K8: a new text, and the old one while it is kept."""
    key = make_credential(None)
    form = CONFIRM | {"key": providers.key("openai", "platform"), "overlap_hours": "24"}
    staff.post(on(key, "rotate"), form)
    assert PlatformKey.objects.get().current_number == 2
    staff.post(on(key, "go_back"), CONFIRM)
    assert PlatformKey.objects.get().current_number == 1


def test_key_rests_and_works_again(staff: Client) -> None:
    """K12: disabled and enabled by staff, after a question."""
    key = make_credential(None)
    staff.get(on(key, "disable"))
    assert PlatformKey.objects.get().disabled_at is None
    staff.post(on(key, "disable"), CONFIRM)
    assert PlatformKey.objects.get().disabled_at is not None
    staff.post(on(key, "enable"), CONFIRM)
    assert PlatformKey.objects.get().disabled_at is None


def test_key_is_checked(staff: Client, providers: ProvidersSandbox) -> None:
    """K9: the provider's answer becomes the key's health."""
    key = make_credential(None, text=key_text("openai", "invalid"))
    staff.post(on(key, "check_now"), CONFIRM)
    assert PlatformKey.objects.get(id=key.id).health == "invalid"


def test_key_is_revoked(staff: Client) -> None:
    """K8: its text is erased."""
    key = make_credential(None)
    staff.post(on(key, "revoke"), CONFIRM)
    assert PlatformKey.objects.get().health == "revoked"
    assert bytes(CredentialVersion.objects.get().ciphertext) == b""


def test_weight_is_changed(staff: Client) -> None:
    """K12: a key's share of the load."""
    key = make_credential(None)
    counts = {f"{rows}-{count}_FORMS": "0" for rows in ("versions", "health_changes") for count in ("TOTAL", "INITIAL")}
    staff.post(on(key, "change"), {"name": key.name, "weight": "7", **counts})
    assert PlatformKey.objects.get().weight == 7


def test_customers_keys_are_not_run_here(staff: Client) -> None:
    """K10, K12: a page of the platform's keys has none of a customer's."""
    key = make_credential(None)
    assert staff.get(on(key, "change")).status_code == 200
    assert staff.get(on("01890000-0000-7000-8000-000000000000", "change")).status_code == 302
