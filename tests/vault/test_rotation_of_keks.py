"""Key-encryption keys from staged to retired, by the commands that an operator uses (K8)."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django import Settings

from tests.make import AT, make_tenant
from tests.vault.make import key_text, make_credential
from tests.vault.test_sealing import by_sql
from vault.data_keys import forget_data_keys
from vault.errors import KekRefused, Unreadable
from vault.keks.local import LocalKey, create_local_key, path_of
from vault.keks.proof import prove
from vault.models import Credential, CredentialVersion, DataKey, KeyEncryptionKey
from vault.sealing import unseal


def run(command: str, *arguments: str) -> str:
    """What the command says."""
    output = StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


def refusal(command: str, *arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(command, *arguments)
    return str(caught.value)


def states() -> dict[str, str]:
    return dict(KeyEncryptionKey.objects.values_list("name", "state"))


def text_of(key: Credential) -> str:
    """As a process reads it that remembers nothing."""
    forget_data_keys()
    version = CredentialVersion.objects.get(credential=key, number=key.current_number)
    return unseal(key, version, tenant_id=key.tenant_id).reveal()


@pytest.mark.django_db
def test_first_key_is_active_and_later_ones_are_staged(settings: Settings, tmp_path: Path) -> None:
    """K1: `--if-none` does nothing a second time, so that it can stand in what starts the product."""
    settings.VAULT_KEK_DIR = str(tmp_path / "keks")
    assert "create_kek" in run("list_keks")
    assert "first is active" in run("create_kek", "first", "--if-none")
    assert "nothing to do" in run("create_kek", "first", "--if-none")
    assert "activate_kek second" in run("create_kek", "second")
    assert states() == {"first": "active", "second": "staged"}
    assert "first                active          0 data keys  local first-" in run("list_keks")
    location = KeyEncryptionKey.objects.get(name="first").location
    assert path_of(location).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("vault")
def test_given_file_is_taken_as_it_is() -> None:
    """K1: a key that something else has put there, once; a name is never used twice."""
    create_local_key("mounted")
    run("create_kek", "one", "--location", "mounted")
    assert "names this key already" in refusal("create_kek", "two", "--location", "mounted")
    assert "is there already" in refusal("create_kek", "one")
    assert "cannot be read" in refusal("create_kek", "three", "--location", "absent")
    assert "small letters" in refusal("create_kek", "Not A Name")
    assert "--location" in refusal("create_kek", "four", "--backend", "transit")
    assert states() == {"test": "active", "one": "staged"}


def test_rotation_from_staged_to_retired(vault: KeyEncryptionKey) -> None:
    """K8: no text is encrypted anew; what is retired is not needed any more."""
    keys = [make_credential(make_tenant()), make_credential(None, "anthropic")]
    before = list(CredentialVersion.objects.order_by("id").values_list("data_key_id", "ciphertext"))
    run("create_kek", "next")
    assert "test only unwraps" in run("activate_kek", "next")
    assert "2 data keys are still wrapped" in refusal("retire_kek", "test")
    assert "2 wrapped anew, 0 left" in run("rewrap_data_keys")
    assert "0 wrapped anew, 0 left" in run("rewrap_data_keys")
    assert "is retired" in run("retire_kek", "test")
    assert states() == {"test": "retired", "next": "active"}
    path_of(vault.location).unlink()
    assert [text_of(key) for key in keys] == [key_text(), key_text("anthropic")]
    assert list(CredentialVersion.objects.order_by("id").values_list("data_key_id", "ciphertext")) == before
    assert "2 versions decrypt, 2 data keys unwrap" in run("check_vault")


@pytest.mark.usefixtures("vault")
def test_states_that_commands_refuse() -> None:
    """K8: the active key is not retired, a retired one does not come back; going back to a retiring one is possible."""
    run("create_kek", "next")
    assert "activate another key first" in refusal("retire_kek", "test")
    assert "Known: test, next" in refusal("activate_kek", "nobody")
    run("activate_kek", "next")
    run("activate_kek", "next")
    run("activate_kek", "test")
    assert states() == {"test": "active", "next": "retiring"}
    run("retire_kek", "next")
    assert "retired for good" in refusal("activate_kek", "next")


def test_key_that_does_not_work_from_here_is_not_activated(vault: KeyEncryptionKey) -> None:
    """K8: this process proves it by a round trip before anything is wrapped with it."""
    run("create_kek", "next")
    path_of(KeyEncryptionKey.objects.get(name="next").location).unlink()
    assert "cannot be read" in refusal("activate_kek", "next")
    assert states() == {"test": "active", "next": "staged"}


class Careless(LocalKey):
    """Binds nothing, as a service does that does not know associated data."""

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        return super().unwrap(wrapped, context=b"")

    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        return super().wrap(data_key, context=b"")


class Forgetful(LocalKey):
    """Gives nothing back."""

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        raise Unreadable("No.")


class Open(LocalKey):
    """Does not encrypt."""

    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        return b"1" + data_key


@pytest.mark.parametrize(("kind", "words"), [(Careless, "another context"), (Forgetful, "give back"), (Open, "wrap")])
def test_key_service_that_does_not_do_its_work_is_found_out(
    vault: KeyEncryptionKey, kind: type[LocalKey], words: str
) -> None:
    """K1: before a data key is entrusted to it."""
    prove(LocalKey(vault.location))
    with pytest.raises(KekRefused, match=words):
        prove(kind(vault.location))


@pytest.mark.usefixtures("vault")
def test_data_key_that_does_not_unwrap_is_reported_and_left() -> None:
    """K8: the others are wrapped anew, and what may be restored from a backup is not overwritten."""
    broken, whole = make_credential(make_tenant()), make_credential(make_tenant())
    data_key = CredentialVersion.objects.get(credential=broken).data_key
    by_sql("UPDATE vault_datakey SET wrapped = %s WHERE id = %s", b"\x01" + bytes(70), data_key.id)
    run("create_kek", "next")
    run("activate_kek", "next")
    assert "1 data keys are still wrapped by another key" in refusal("rewrap_data_keys")
    assert bytes(DataKey.objects.get(id=data_key.id).wrapped) == b"\x01" + bytes(70)
    assert text_of(whole) == key_text()
    assert "1 data keys are still wrapped by test" in refusal("retire_kek", "test")


def test_database_refuses_what_commands_refuse(vault: KeyEncryptionKey) -> None:
    """K8: SQL by hand cannot retire what is needed, nor wrap with what is not active."""
    make_credential(make_tenant())
    with pytest.raises(IntegrityError, match="still wrapped"), transaction.atomic():
        KeyEncryptionKey.objects.filter(id=vault.id).update(state="retired", retired_at=AT)
    staged = KeyEncryptionKey.objects.create(name="s", backend="local", location="s", created_at=AT)
    with pytest.raises(IntegrityError, match="wraps nothing"), transaction.atomic():
        DataKey.objects.update(kek=staged)
