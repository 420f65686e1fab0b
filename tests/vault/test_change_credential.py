"""Changing what is said of a key: name, switch, end, share."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox.providers.process import ProvidersSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.vault.make import fresh, key_text, make_credential
from vault.crypto.secret import Secret
from vault.errors import CredentialExists, HoldsKey, InvalidValue, NotUsable
from vault.health import EXPIRED
from vault.models import Credential, CredentialAccess
from vault.services.change_credential import change_credential
from vault.services.revoke_credential import revoke_credential
from vault.services.rotate_credential import rotate_credential

pytestmark = pytest.mark.usefixtures("vault")
DAY = timedelta(days=1)


def change(key: Credential, **changed: Any) -> Credential:
    return change_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT, **changed)


def lines() -> list[tuple[str, dict[str, object]]]:
    """The audit log, without what stands in every line."""
    shown = {"provider", "name", "last_four"}
    return [
        (line.action, {word: value for word, value in line.detail.items() if word not in shown})
        for line in AuditEvent.objects.order_by("id")
    ]


def test_switch() -> None:
    """K4: off, on again and then checked at once; the same again is no change."""
    key = make_credential(make_tenant())
    Credential.objects.filter(id=key.id).update(next_check_at=AT + DAY)
    assert change(key, disabled=True).disabled_at == AT
    assert change(key, disabled=True).next_check_at == AT + DAY
    enabled = change(key, disabled=False)
    assert (enabled.disabled_at, enabled.next_check_at) == (None, AT)
    assert lines() == [("credential.disabled", {}), ("credential.enabled", {})]


def test_name_and_share() -> None:
    """K2, K12: what is not given stays."""
    key = make_credential(make_tenant(), name="Old")
    changed = change(key, name=" New ", weight=3)
    assert (changed.name, changed.weight) == ("New", 3)
    assert change(key).name == "New"
    assert lines() == [("credential.changed", {"name_before": "Old"})]


def test_names_that_are_refused() -> None:
    """K2: taken, none, or a key."""
    tenant = make_tenant()
    key, other = make_credential(tenant, name="Main"), make_credential(tenant)
    with pytest.raises(CredentialExists):
        change(other, name=key.name)
    for name in ("", "  ", key_text(), "x" * 101):
        with pytest.raises(InvalidValue):
            change(key, name=name)
    for weight in (0, 1001):
        with pytest.raises(InvalidValue):
            change(key, weight=weight)
    assert fresh(key).name == "Main"


@pytest.mark.parametrize("provider", ["assemblyai", "deepgram", "postmark", "cartesia", "twilio"])
def test_own_text_as_a_name(provider: str) -> None:
    """K2: nor a half of a pair, in capitals or not, nor the text before; whatever its form, and without an access."""
    key = make_credential(make_tenant(), provider, name="Main")
    for part in key_text(provider).split(":"):
        for name in (part, f"x{part}", part.upper()):
            with pytest.raises(HoldsKey) as refusal:
                change(key, name=name)
            assert part not in str(refusal.value)
    assert change(key, name="Second").name == "Second"
    assert not CredentialAccess.objects.exists()


def test_replaced_text_as_a_name(providers: ProvidersSandbox) -> None:
    """K2, K8: it may still be gone back to."""
    old = "Zq7-" * 6
    key = make_credential(make_tenant(), "groq", text=old)
    rotate_credential(
        tenant_id=key.tenant_id,
        credential_id=key.id,
        plain=Secret(key_text("groq")),
        overlap=DAY,
        actor=SYSTEM,
        at=AT,
    )
    with pytest.raises(HoldsKey):
        change(key, name=f"was {old}")


@pytest.mark.parametrize(
    "name",
    ["0123456789abcdef" * 2, "Key 0123456789ABCDEF01230123456789abcdef0123", "9f1b4c1e-0d5a-4a57-8a42-5f0f5a2b7c11"],
)
def test_name_like_a_key_without_a_form(name: str) -> None:
    """K2: digits as some providers make keys of, whosever they are."""
    key = make_credential(make_tenant(), name="Main")
    with pytest.raises(HoldsKey):
        change(key, name=name)
    assert change(key, name="Release 0123456789abcdef").name == "Release 0123456789abcdef"


def test_end() -> None:
    """K9: near it expires, farther it is valid again; one that was over is looked at anew."""
    key = make_credential(make_tenant())
    assert change(key, expires_at=AT + DAY).health == "expiring"
    assert change(key, expires_at=AT + 30 * DAY).health == "valid"
    assert change(key, expires_at=None).expires_at is None
    Credential.objects.filter(id=key.id).update(health="invalid", health_reason=EXPIRED, expires_at=AT - DAY)
    later = change(key, expires_at=AT + DAY)
    assert (later.health, later.health_reason, later.next_check_at) == ("unverified", "", AT)
    with pytest.raises(InvalidValue):
        change(key, expires_at=AT)
    assert [detail["expires_at"] for _, detail in lines()][2] is None


def test_other_trouble_is_not_forgotten() -> None:
    """K9: an end that is farther away heals no refused key."""
    key = make_credential(make_tenant(), health="invalid")
    assert change(key, expires_at=AT + 30 * DAY).health == "invalid"


def test_whose_it_is_and_what_is_left() -> None:
    """K10: a foreign key is not found, a revoked one does not change."""
    key = make_credential(make_tenant())
    with pytest.raises(Credential.DoesNotExist):
        change_credential(tenant_id=make_tenant().id, credential_id=key.id, disabled=True, actor=SYSTEM, at=AT)
    revoke_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)
    with pytest.raises(NotUsable):
        change(key, disabled=True)
