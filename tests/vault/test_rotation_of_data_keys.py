"""Data keys replaced, what hangs on them encrypted anew, and the old ones destroyed (K8)."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.vault.make import key_text, make_credential
from tests.vault.test_rotation_of_keks import refusal, run, text_of
from tests.vault.test_sealing import by_sql
from vault.crypto.secret import Secret
from vault.data_keys import forget_data_keys, replace_data_key
from vault.models import Credential, CredentialAccess, CredentialVersion, DataKey
from vault.sealing import unseal
from vault.services.revoke_credential import revoke_credential
from vault.services.rotate_data_key import Rotation, rotate_data_key
from vault.versions import write_version

pytestmark = pytest.mark.usefixtures("vault")
LATER = AT + timedelta(days=1)


def rotate(tenant_id: UUID | None, *, made_before: object = LATER) -> tuple[int, int]:
    """How many versions were moved and data keys destroyed."""
    result = rotate_data_key(tenant_id=tenant_id, made_before=made_before, at=LATER, tell=lambda _: None)
    return result.moved, result.destroyed


def test_versions_move_and_the_old_key_is_destroyed() -> None:
    """K8: every live version, replaced ones too; each move is an access to the key."""
    key = make_credential(make_tenant())
    write_version(key=key, number=2, plain=Secret(key_text(state="tenant")), actor=SYSTEM, at=AT)
    old = DataKey.objects.get()
    assert rotate(key.tenant_id) == (2, 1)
    old.refresh_from_db()
    assert (old.destroyed_at, old.replaced_at, bytes(old.wrapped)) == (LATER, LATER, b"")
    assert set(CredentialVersion.objects.values_list("data_key__replaced_at", "data_key__encryptions")) == {(None, 2)}
    assert text_of(key) == key_text()
    accesses = CredentialAccess.objects.order_by("number").values_list("number", "purpose", "outcome", "tenant_id")
    assert list(accesses) == [(number, "reencrypt", "granted", key.tenant_id) for number in (1, 2)]
    assert "2 versions decrypt, 1 data keys unwrap" in run("check_vault")


def test_whose_keys_are_rotated() -> None:
    """K8, K12: one tenant's, the platform's, or all."""
    tenant, other = make_tenant(), make_tenant()
    keys = [make_credential(tenant), make_credential(other), make_credential(None)]
    assert "1 versions encrypted anew, 1 data keys destroyed" in run("rotate_data_key", "--tenant", tenant.slug)
    assert DataKey.objects.exclude(destroyed_at=None).get().tenant_id == tenant.id
    run("rotate_data_key", "--platform")
    assert DataKey.objects.exclude(destroyed_at=None).filter(tenant=None).count() == 1
    assert "3 versions encrypted anew, 3 data keys destroyed" in run("rotate_data_key", "--all")
    assert [text_of(key) for key in keys] == [key_text()] * 3
    assert "no tenant nobody" in refusal("rotate_data_key", "--tenant", "nobody")


def test_interrupted_run_is_finished_without_new_keys() -> None:
    """K8: with the time that it said, what it replaced is moved, and what it made is left alone."""
    key = make_credential(make_tenant())
    began = now()
    replace_data_key(DataKey.objects.get().id, at=began + timedelta(seconds=1))
    said = run("rotate_data_key", "--all", "--made-before", began.isoformat())
    assert began.isoformat() in said
    assert "1 versions encrypted anew, 1 data keys destroyed" in said
    assert "0 versions encrypted anew, 0 data keys" in run(
        "rotate_data_key", "--all", "--made-before", began.isoformat()
    )
    assert DataKey.objects.count() == 2
    assert text_of(key) == key_text()


@pytest.mark.parametrize("time", ["yesterday", "2026-11-21T12:00:00", "2026-99-21T12:00:00Z"])
def test_time_without_a_zone_is_refused(time: str) -> None:
    """It would mean another instant on another machine."""
    assert "--made-before" in refusal("rotate_data_key", "--all", "--made-before", time)


def test_revoked_versions_keep_nothing_alive() -> None:
    """K8: their text is erased already."""
    key = make_credential(make_tenant())
    revoke_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)
    assert rotate(key.tenant_id) == (0, 1)


def test_version_read_before_it_moved_is_read_again() -> None:
    """K8: whoever holds the row as it was finds its data key destroyed, and takes the row as it is."""
    key = make_credential(make_tenant())
    stale = CredentialVersion.objects.get()
    rotate(key.tenant_id)
    forget_data_keys()
    assert unseal(key, stale, tenant_id=key.tenant_id).reveal() == key_text()


def test_version_that_does_not_decrypt_keeps_its_data_key() -> None:
    """K8: a backup may still help; what is broken is told, the rest moves."""
    broken, whole = make_credential(make_tenant()), Credential()
    whole = make_credential(broken.tenant)
    by_sql("UPDATE vault_credentialversion SET number = 7 WHERE credential_id = %s", broken.id)
    assert "1 versions do not decrypt" in refusal("rotate_data_key", "--all")
    assert list(DataKey.objects.exclude(destroyed_at=None)) == []
    assert text_of(whole) == key_text()
    assert CredentialAccess.objects.get(credential=broken).outcome == "unreadable"


def test_database_keeps_what_is_needed() -> None:
    """K8: SQL by hand cannot destroy a data key in use by a version, nor store a version under a destroyed one."""
    key = make_credential(make_tenant())
    old = DataKey.objects.get()
    replace_data_key(old.id, at=AT)
    destroyed = {"wrapped": b"", "destroyed_at": AT}
    with pytest.raises(IntegrityError, match="still encrypted"), transaction.atomic():
        DataKey.objects.filter(id=old.id).update(**destroyed)
    rotate(key.tenant_id, made_before=AT)
    version = CredentialVersion.objects.get()
    assert version.data_key_id != old.id
    with pytest.raises(IntegrityError, match="is destroyed"), transaction.atomic():
        CredentialVersion.objects.filter(id=version.id).update(data_key_id=old.id)


def test_progress_is_told() -> None:
    """An operator sees that it goes on."""
    key = make_credential(make_tenant())
    told: list[int] = []

    def tell(so_far: Rotation) -> None:
        told.append(so_far.moved)

    rotate_data_key(tenant_id=key.tenant_id, made_before=LATER, at=LATER, tell=tell)
    assert told == [1]
