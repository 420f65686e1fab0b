"""What check_vault finds (K8)."""

import pytest
from django.apps import apps
from django.db import connection, models

from tests.make import AT, make_tenant
from tests.vault.make import key_text, make_credential
from tests.vault.test_rotation_of_keks import refusal, run
from tests.vault.test_sealing import by_sql
from vault.keks.local import path_of
from vault.models import Credential, CredentialVersion, DataKey, KeyEncryptionKey
from vault.references import unvisited_references
from vault.services.check_vault import check_vault

pytestmark = pytest.mark.usefixtures("vault")


@pytest.fixture
def key() -> Credential:
    return make_credential(make_tenant())


def test_whole_vault(key: Credential) -> None:
    """Nothing is found, before and after something is stored."""
    assert check_vault() == []
    assert run("check_vault") == "The vault is whole: 1 versions decrypt, 1 data keys unwrap.\n"


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE TABLE elsewhere (id int, k uuid REFERENCES vault_datakey (id))",
        "CREATE TABLE elsewhere (id int, k uuid REFERENCES vault_keyencryptionkey (id))",
        "CREATE TABLE elsewhere (id int, old_data_key_id uuid)",
        "CREATE TABLE elsewhere (id int, kek_id uuid)",
    ],
)
def test_rotation_skips_a_table(definition: str) -> None:
    """K8: whatever hangs on a data key or a key-encryption key, with a foreign key or by its name, is known."""
    assert unvisited_references() == []
    with connection.cursor() as cursor:
        cursor.execute(definition)
    [finding] = check_vault()
    assert finding.startswith("elsewhere hangs on vault_")
    assert "not whole: 1 findings" in refusal("check_vault")


def test_rotation_skips_a_model() -> None:
    """K8: also one whose foreign key the database does not know."""

    class Elsewhere(models.Model):
        sealed_with = models.ForeignKey(DataKey, models.DO_NOTHING, db_constraint=False, related_name="+")

        class Meta:
            app_label = "vault"

        def __str__(self) -> str:
            return "Elsewhere"

    try:
        assert unvisited_references() == ["vault_elsewhere hangs on vault_datakey, and rotation does not visit it."]
    finally:
        del apps.all_models["vault"]["elsewhere"]
        apps.clear_cache()
    assert unvisited_references() == []


def test_no_active_key() -> None:
    """Nothing can be stored then."""
    KeyEncryptionKey.objects.update(state="retiring")
    assert check_vault() == [
        "No key-encryption key is active, so that no key can be stored: run create_kek or activate_kek."
    ]


def test_data_key_that_does_not_unwrap(key: Credential, vault: KeyEncryptionKey) -> None:
    """The finding says which, and what an operator can do."""
    path_of(vault.location).unlink()
    [finding] = check_vault()
    assert finding.startswith(f"Data key {DataKey.objects.get().id} does not unwrap: {path_of(vault.location)} cannot")


def test_text_that_does_not_decrypt(key: Credential) -> None:
    """No finding holds a text, or what it was encrypted to."""
    by_sql("UPDATE vault_credential SET base_url = 'https://elsewhere.example'")
    [finding] = check_vault()
    assert finding == f"Version 1 of credential {key.id} does not decrypt: The ciphertext is not authentic."
    assert key_text() not in finding


def test_rows_that_contradict_each_other(key: Credential, vault: KeyEncryptionKey) -> None:
    """Left by SQL with its triggers off, or by a restore of some tables alone."""
    second = make_credential(key.tenant, "anthropic")
    third = make_credential(make_tenant())
    version = CredentialVersion.objects.get(credential=key)
    # Constraints have to go, too: the database refuses each of these rows by itself.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE vault_credentialversion DROP CONSTRAINT credentialversion_erased")
        cursor.execute("ALTER TABLE vault_datakey DROP CONSTRAINT datakey_destroyed")
    by_sql("UPDATE vault_credentialversion SET revoked_at = %s WHERE id = %s", AT, version.id)
    by_sql("UPDATE vault_credential SET revoked_at = %s, health = 'revoked' WHERE id = %s", AT, second.id)
    third_key = CredentialVersion.objects.get(credential=third).data_key_id
    by_sql("UPDATE vault_datakey SET destroyed_at = %s, replaced_at = %s WHERE id = %s", AT, AT, third_key)
    by_sql("UPDATE vault_keyencryptionkey SET state = 'retired', retired_at = %s", AT)
    live = CredentialVersion.objects.get(credential=second)
    assert set(check_vault()) == {
        "No key-encryption key is active, so that no key can be stored: run create_kek or activate_kek.",
        f"Data key {version.data_key_id} hangs on a retired or staged key-encryption key.",
        f"Data key {third_key} is destroyed, and its bytes are there.",
        f"Version {version.id} is revoked, and its ciphertext is there.",
        f"Version {live.id} is live, and its credential is revoked.",
        f"Version {CredentialVersion.objects.get(credential=third).id} hangs on a destroyed data key.",
        f"Credential {key.id} has lost the version that it uses.",
    }


def test_version_under_another_owners_data_key(key: Credential) -> None:
    """Neither does it decrypt."""
    other = make_credential(None)
    platforms = CredentialVersion.objects.get(credential=other).data_key_id
    by_sql("UPDATE vault_credentialversion SET data_key_id = %s WHERE credential_id = %s", platforms, key.id)
    version = CredentialVersion.objects.get(credential=key)
    first, second = check_vault()
    assert first == f"Version {version.id} hangs on another owner's data key."
    assert second.startswith(f"Version 1 of credential {key.id} does not decrypt")
