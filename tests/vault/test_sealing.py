"""What a ciphertext is bound to: it opens in its own row, for its own tenant, under its own keys, or not at all."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection

from tests.make import AT, make_tenant
from vault.crypto.envelope import Binding
from vault.crypto.secret import Secret
from vault.data_keys import forget_data_keys
from vault.errors import Unreadable, VaultNotConfigured
from vault.keks.local import create_local_key, path_of
from vault.models import Credential, CredentialVersion, DataKey, KeyEncryptionKey
from vault.sealing import seal, unseal

pytestmark = pytest.mark.usefixtures("vault")

TEXT = "sk-test-0123456789abcdefghij"


def make_row(
    tenant_id: UUID | None, text: str = TEXT, *, provider: str = "openai", base_url: str = ""
) -> tuple[Credential, CredentialVersion]:
    """A credential with one version, as the services write them."""
    credential = Credential.objects.create(
        tenant_id=tenant_id,
        provider=provider,
        name=f"{provider} {text[-4:]}",
        base_url=base_url,
        health_since=AT,
        created_at=AT,
    )
    return credential, make_version(credential, 1, text)


def make_version(credential: Credential, number: int, text: str = TEXT) -> CredentialVersion:
    plain = Secret(text)
    binding = Binding(credential.tenant_id, credential.id, number, credential.provider, credential.base_url)
    sealed = seal(plain, binding, at=AT)
    return CredentialVersion.objects.create(
        credential=credential,
        number=number,
        data_key_id=sealed.data_key_id,
        ciphertext=sealed.ciphertext,
        last_four=plain.last_four,
        created_at=AT,
    )


def by_sql(statement: str, *values: object) -> None:
    """What somebody with the database's password can do: no trigger, no foreign key stands in the way."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def read(version_id: UUID, tenant_id: UUID | None) -> str:
    version = CredentialVersion.objects.select_related("credential").get(id=version_id)
    return unseal(version.credential, version, tenant_id=tenant_id).reveal()


def assert_unreadable(version: CredentialVersion, tenant_id: UUID | None) -> None:
    with pytest.raises(Unreadable) as caught:
        read(version.id, tenant_id)
    assert TEXT not in str(caught.value)


def test_sealed_key_is_read_by_its_tenant() -> None:
    """K1: and by a process that remembers nothing."""
    tenant = make_tenant()
    _, version = make_row(tenant.id)
    forget_data_keys()
    assert read(version.id, tenant.id) == TEXT
    assert TEXT.encode() not in bytes(version.ciphertext)


def test_platform_key_is_sealed_under_the_platforms_data_key() -> None:
    """K12: no tenant's data key opens a key of the platform."""
    _, version = make_row(None)
    assert version.data_key.tenant_id is None
    assert read(version.id, None) == TEXT


def test_wrong_key_returns_ciphertext_as_value() -> None:
    """K1: bytes that another key made raise; they are neither returned nor read as nothing."""
    tenant, other = make_tenant(), make_tenant()
    _, version = make_row(tenant.id)
    _, foreign = make_row(other.id)
    by_sql("UPDATE vault_credentialversion SET data_key_id = %s WHERE id = %s", foreign.data_key_id, version.id)
    assert_unreadable(version, tenant.id)


def test_data_key_of_another_row_does_not_unwrap() -> None:
    """K1: wrapped data keys are bound to their id and tenant."""
    tenant, other = make_tenant(), make_tenant()
    _, version = make_row(tenant.id)
    _, foreign = make_row(other.id)
    wrapped = DataKey.objects.values_list("wrapped", flat=True).get(id=foreign.data_key_id)
    by_sql("UPDATE vault_datakey SET wrapped = %s WHERE id = %s", bytes(wrapped), version.data_key_id)
    forget_data_keys()
    assert_unreadable(version, tenant.id)


def test_data_key_given_to_another_tenant_does_not_unwrap() -> None:
    """K1: the same row under another tenant is another key."""
    tenant, other = make_tenant(), make_tenant()
    _, version = make_row(tenant.id)
    by_sql("UPDATE vault_datakey SET tenant_id = %s WHERE id = %s", other.id, version.data_key_id)
    forget_data_keys()
    assert_unreadable(version, tenant.id)


def test_replaced_kek_file_does_not_unwrap(vault: KeyEncryptionKey) -> None:
    """K1: another file under the same name is another key."""
    tenant = make_tenant()
    _, version = make_row(tenant.id)
    path_of(vault.location).unlink()
    create_local_key(vault.location)
    forget_data_keys()
    assert_unreadable(version, tenant.id)


def test_lost_kek_file_is_said() -> None:
    """K6: a file that is gone says nothing against the key, so that its health stays."""
    tenant = make_tenant()
    _, version = make_row(tenant.id)
    path_of("test").unlink()
    forget_data_keys()
    with pytest.raises(VaultNotConfigured, match="cannot be read"):
        read(version.id, tenant.id)


@pytest.mark.parametrize("between", ["tenants", "versions", "providers", "credentials"])
def test_ciphertext_swapped_between_rows(between: str) -> None:
    """K1: two ciphertexts change places by SQL, data keys with them; neither is read."""
    tenant = make_tenant()
    first, version = make_row(tenant.id)
    match between:
        case "tenants":
            second, other = make_row(make_tenant().id, "sk-other-0123456789abcdefghij")
        case "versions":
            second, other = first, make_version(first, 2, "sk-other-0123456789abcdefghij")
        case "providers":
            second, other = make_row(tenant.id, "sk-other-0123456789abcdefghij", provider="anthropic")
        case _:
            second, other = make_row(tenant.id, "sk-other-0123456789abcdefgxyz")
    swap = "UPDATE vault_credentialversion SET ciphertext = %s, data_key_id = %s WHERE id = %s"
    by_sql(swap, bytes(other.ciphertext), other.data_key_id, version.id)
    by_sql(swap, bytes(version.ciphertext), version.data_key_id, other.id)
    assert_unreadable(version, first.tenant_id)
    assert_unreadable(other, second.tenant_id)


def test_base_url_changed_in_sql() -> None:
    """K1: a key is not sent to an address that somebody wrote into its row."""
    tenant = make_tenant()
    credential, version = make_row(tenant.id, base_url="https://models.example.com/v1")
    by_sql("UPDATE vault_credential SET base_url = 'https://thief.example.com' WHERE id = %s", credential.id)
    assert_unreadable(version, tenant.id)


@pytest.mark.parametrize("column", ["tenant_id", "provider", "number"])
def test_row_changed_in_sql(column: str) -> None:
    """K1: whatever the row says of its key is bound to it."""
    tenant, other = make_tenant(), make_tenant()
    credential, version = make_row(tenant.id)
    reader = tenant.id
    match column:
        case "tenant_id":
            by_sql("UPDATE vault_credential SET tenant_id = %s WHERE id = %s", other.id, credential.id)
            reader = other.id
        case "provider":
            by_sql("UPDATE vault_credential SET provider = 'groq' WHERE id = %s", credential.id)
        case _:
            by_sql("UPDATE vault_credentialversion SET number = 7 WHERE id = %s", version.id)
    assert_unreadable(version, reader)


def test_other_tenants_key_decrypted_by_a_missing_filter() -> None:
    """K1: who reads says for whom; a row of anybody else's is unreadable, the platform's included."""
    tenant, other = make_tenant(), make_tenant()
    _, version = make_row(tenant.id)
    _, platform = make_row(None)
    assert_unreadable(version, other.id)
    assert_unreadable(version, None)
    assert_unreadable(platform, other.id)


def test_version_of_another_credential_is_unreadable() -> None:
    """K1: a mix-up of rows in the code is one in the database."""
    tenant = make_tenant()
    first, _ = make_row(tenant.id)
    _, other = make_row(tenant.id, provider="groq")
    with pytest.raises(Unreadable):
        unseal(first, other, tenant_id=tenant.id)


def test_erased_version_is_unreadable() -> None:
    """K8: a revoked version has nothing to read."""
    tenant = make_tenant()
    credential, version = make_row(tenant.id)
    version.ciphertext, version.revoked_at = b"", AT
    version.save()
    assert_unreadable(version, tenant.id)
    version.revoked_at = None  # as if the time were lost
    with pytest.raises(Unreadable):
        unseal(credential, version, tenant_id=tenant.id)


def test_nothing_is_sealed_without_an_active_kek(vault: KeyEncryptionKey) -> None:
    """K1: the vault says that it is not set up, and the row is never written."""
    vault.state = KeyEncryptionKey.State.RETIRING
    vault.save()
    with pytest.raises(VaultNotConfigured):
        make_row(make_tenant().id)


def test_sealing_twice_gives_other_bytes() -> None:
    """K1: equal keys of two rows cannot be seen to be equal."""
    tenant = make_tenant()
    credential, version = make_row(tenant.id)
    binding = Binding(tenant.id, credential.id, 1, "openai", "")
    again = seal(Secret(TEXT), replace(binding), at=AT)
    assert again.data_key_id == version.data_key_id
    assert again.ciphertext != bytes(version.ciphertext)
