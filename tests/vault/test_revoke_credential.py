"""Revoking: every text erased, the assignments left to stop the search."""

import pytest

from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer, make_tenant
from tests.vault.make import fresh, key_text, make_assignment, make_credential
from vault.crypto.secret import Secret
from vault.models import Assignment, Credential, CredentialVersion, HealthChange
from vault.services.revoke_credential import revoke_credential
from vault.versions import write_version

pytestmark = pytest.mark.usefixtures("vault")


def revoke(key: Credential) -> Credential:
    return revoke_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)


def test_every_text_is_erased() -> None:
    """K8: also of versions that were kept to go back to; with one line of the audit log, however often."""
    tenant = make_tenant()
    key = make_credential(tenant, name="Main")
    make_assignment(tenant, key)
    write_version(key=key, number=2, plain=Secret(key_text()), actor=SYSTEM, at=AT)
    assert (revoke(key).health, revoke(key).revoked_at) == ("revoked", AT)
    texts = CredentialVersion.objects.filter(credential=key).values_list("ciphertext", "revoked_at")
    assert [(bytes(text), at) for text, at in texts] == [(b"", AT)] * 2
    assert fresh(key).next_check_at is None
    assert Assignment.objects.filter(credential=key).exists()
    (line,) = AuditEvent.objects.filter(action="credential.revoked")
    assert line.detail == {"provider": "openai", "name": "Main", "last_four": key_text()[-4:]}
    change = HealthChange.objects.get()
    assert (change.before, change.after, change.source) == ("valid", "revoked", "person")


def test_name_is_free_again() -> None:
    """K2: names are once among those that are not revoked."""
    tenant = make_tenant()
    revoke(make_credential(tenant, name="Main"))
    make_credential(tenant, name="Main")


def test_foreign_key_is_not_found() -> None:
    """K10."""
    key = make_credential(make_tenant())
    with pytest.raises(Credential.DoesNotExist):
        revoke_credential(tenant_id=make_tenant().id, credential_id=key.id, actor=SYSTEM, at=AT)
    with pytest.raises(Credential.DoesNotExist):
        revoke_credential(tenant_id=None, credential_id=key.id, actor=SYSTEM, at=AT)


@pytest.mark.usefixtures("catalogue")
def test_decisions_of_before_are_stale() -> None:
    """K8: the accounts' version moves with the revocation."""
    customer = make_customer()
    key = make_credential(customer.tenant)
    before = customer.account.version
    revoke(key)
    customer.account.refresh_from_db()
    assert customer.account.version > before
