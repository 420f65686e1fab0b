"""Periodic checks at the providers, checks on demand, and reports of runs."""

from datetime import datetime, timedelta

import pytest

from sandbox.providers.process import ProvidersSandbox
from tenants.services.record_audit import SYSTEM, Actor
from tests.make import AT, make_api_key, make_tenant
from tests.vault.make import fresh, key_text, make_credential
from vault.data_keys import forget_data_keys
from vault.errors import NotUsable
from vault.health import EXPIRED, UNREADABLE
from vault.models import Credential, CredentialAccess, CredentialVersion, HealthChange, KeyEncryptionKey
from vault.services.check_due import check_due
from vault.services.revoke_credential import revoke_credential
from vault.services.validate_credential import validate_credential
from vault.tasks import check_keys

pytestmark = pytest.mark.usefixtures("vault", "providers")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def check(key: Credential, at: datetime = AT) -> Credential:
    """A periodic check that finds this key due."""
    Credential.objects.filter(id=key.id).update(next_check_at=at)
    assert check_due(at=at) == 1
    return fresh(key)


def validate(key: Credential, actor: Actor = SYSTEM) -> Credential:
    return validate_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=actor, at=AT)


@pytest.mark.parametrize(
    ("state", "wait"),
    [
        ("valid", HOUR),
        ("restricted", 6 * HOUR),
        ("quota_exhausted", 15 * MINUTE),
        ("invalid", 6 * HOUR),
    ],
)
def test_check_moves_health(providers: ProvidersSandbox, state: str, wait: timedelta) -> None:
    """K9: to what the provider says, due again as suits that; reading the text is written down."""
    key = make_credential(make_tenant(), health="unverified", text=key_text("openai", state))
    checked = check(key)
    assert (checked.health, checked.checked_at, checked.next_check_at) == (state, AT, AT + wait)
    access = CredentialAccess.objects.get()
    assert (access.purpose, access.outcome, access.tenant_id) == ("check", "granted", key.tenant_id)
    change = HealthChange.objects.get()
    assert (change.before, change.after, change.source, change.told_at) == ("unverified", state, "check", None)
    assert len(providers.calls()) == 1
    assert check_due(at=AT) == 0


def test_rate_limited_key_waits_as_long_as_it_is_told(providers: ProvidersSandbox) -> None:
    """K9: a minute, or more where the provider says so."""
    checked = check(make_credential(make_tenant(), text=key_text("openai", "rate_limited")))
    assert checked.health == "rate_limited"
    assert checked.next_check_at is not None
    assert AT + MINUTE <= checked.next_check_at <= AT + HOUR


def test_silence_breaks_a_key_only_when_it_lasts() -> None:
    """K9: twice it stays what it was, checked again in 1 and 2 minutes; the third time it is unreachable."""
    key = make_credential(make_tenant(), text=key_text("openai", "unreachable"))
    found = [check(key, AT + n * HOUR) for n in range(3)]
    assert [one.health for one in found] == ["valid", "valid", "unreachable"]
    waits = [one.next_check_at - (AT + n * HOUR) for n, one in enumerate(found) if one.next_check_at is not None]
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert HealthChange.objects.count() == 1


def test_silence_of_an_unusable_key_changes_nothing() -> None:
    """K9: what the provider said last still holds."""
    key = make_credential(make_tenant(), health="quota_exhausted", text=key_text("openai", "unreachable"))
    for _ in range(4):
        assert check(key).health == "quota_exhausted"


def test_who_asks_is_answered() -> None:
    """K9: a check on demand says unreachable at once, and is written down as theirs."""
    tenant = make_tenant()
    user = make_api_key(tenant).row
    key = make_credential(tenant, text=key_text("openai", "unreachable"))
    assert validate(key, Actor(key_id=user.id)).health == "unreachable"
    assert CredentialAccess.objects.get().actor_key_id == user.id


def test_unknown_rotated_and_revoked_keys(providers: ProvidersSandbox) -> None:
    """K9: those that are disabled or revoked are not checked; nobody validates a revoked one."""
    tenant = make_tenant()
    disabled, revoked = make_credential(tenant), make_credential(tenant)
    Credential.objects.filter(id=disabled.id).update(disabled_at=AT)
    revoke_credential(tenant_id=tenant.id, credential_id=revoked.id, actor=SYSTEM, at=AT)
    assert check_due(at=AT + HOUR) == 0
    with pytest.raises(NotUsable):
        validate(revoked)
    with pytest.raises(Credential.DoesNotExist):
        validate_credential(tenant_id=None, credential_id=disabled.id, actor=SYSTEM, at=AT)
    assert providers.calls() == []


def test_end_of_a_key(providers: ProvidersSandbox) -> None:
    """K9: expiring within 14 days, checked once more at its end, invalid then and sent nowhere."""
    ends = AT + timedelta(days=14) + HOUR
    key = make_credential(make_tenant(), expires_at=ends)
    assert check(key).health == "valid"
    soon = check(key, ends - timedelta(minutes=30))
    assert (soon.health, soon.next_check_at) == ("expiring", ends)
    calls = len(providers.calls())
    over = check(key, ends)
    assert (over.health, over.health_reason, len(providers.calls())) == ("invalid", EXPIRED, calls)


def test_key_that_does_not_decrypt(providers: ProvidersSandbox) -> None:
    """K6: found by a check, too; good again once it can be read."""
    key = make_credential(make_tenant())
    version = CredentialVersion.objects.get(credential=key)
    good = bytes(version.ciphertext)
    CredentialVersion.objects.filter(id=version.id).update(ciphertext=good[:-1] + bytes([good[-1] ^ 1]))
    assert (check(key).health_reason, fresh(key).health) == (UNREADABLE, "invalid")
    assert CredentialAccess.objects.get().outcome == "unreadable"
    assert providers.calls() == []
    CredentialVersion.objects.filter(id=version.id).update(ciphertext=good)
    assert check(key).health == "valid"


def test_vault_that_cannot_open_its_own_keys(providers: ProvidersSandbox) -> None:
    """K9: says nothing of the tenant's key, which is due again soon; the others are checked."""
    key = make_credential(make_tenant())
    KeyEncryptionKey.objects.update(location="elsewhere")
    forget_data_keys()
    checked = check(key)
    assert (checked.health, checked.next_check_at) == ("valid", AT + 3 * MINUTE)
    assert providers.calls() == []


def test_task() -> None:
    """K9: one service call."""
    make_credential(make_tenant())
    assert check_keys() == 1
