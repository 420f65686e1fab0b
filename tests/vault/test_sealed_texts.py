"""Secret texts that are no providers' keys: sealed, read for one purpose, rotated and erased with the rest (N1, K8)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from tests.make import AT, make_tenant
from tests.vault.test_rotation_of_keks import refusal, run
from tests.vault.test_sealing import by_sql
from vault.crypto.secret import Secret
from vault.data_keys import forget_data_keys, replace_data_key
from vault.errors import Unreadable
from vault.models import DataKey, SealedText
from vault.sealed_texts import erase_texts, seal_anew, seal_text, unseal_text
from vault.services.check_vault import check_vault
from vault.services.rotate_data_key import rotate_data_key

pytestmark = pytest.mark.usefixtures("vault")
LATER = AT + timedelta(days=1)
PLAIN = "whsec_dGhpcyBpcyBhIHRlc3Qgb2YgdGhlIHZhdWx0"


def make_text() -> SealedText:
    return seal_text(tenant_id=make_tenant().id, purpose="test", plain=Secret(PLAIN), at=AT)


def text_of(text: SealedText) -> str:
    """As a process reads it that remembers nothing."""
    forget_data_keys()
    row = SealedText.objects.get(id=text.id)
    return unseal_text(row, tenant_id=row.tenant_id, purpose="test").reveal()


def test_text_is_read_for_its_tenant_and_purpose_alone() -> None:
    """N1: the row keeps only a ciphertext, and nobody else's question is answered."""
    text = make_text()
    assert text_of(text) == PLAIN
    assert PLAIN.encode() not in bytes(SealedText.objects.get().ciphertext)
    for tenant_id, purpose in ((uuid4(), "test"), (text.tenant_id, "other")):
        with pytest.raises(Unreadable):
            unseal_text(text, tenant_id=tenant_id, purpose=purpose)


@pytest.mark.parametrize("change", ["id = gen_random_uuid()", "purpose = 'other'"])
def test_ciphertext_is_bound_to_its_row(change: str) -> None:
    """N1: a row that was changed by SQL with its triggers off does not decrypt."""
    make_text()
    by_sql(f"UPDATE vault_sealedtext SET {change}")
    moved = SealedText.objects.get()
    with pytest.raises(Unreadable):
        unseal_text(moved, tenant_id=moved.tenant_id, purpose=moved.purpose)
    [finding] = check_vault()
    assert finding == f"Text {moved.id} does not decrypt: The ciphertext is not authentic."


def test_ciphertexts_of_one_row_are_none_of_another() -> None:
    """N1: of the same tenant and purpose."""
    one = make_text()
    two = seal_text(tenant_id=one.tenant_id, purpose="test", plain=Secret("whsec_b3RoZXI="), at=AT)
    by_sql("UPDATE vault_sealedtext SET ciphertext = %s WHERE id = %s", bytes(one.ciphertext), two.id)
    with pytest.raises(Unreadable):
        text_of(two)


def test_rotation_encrypts_texts_anew_and_destroys_the_old_key() -> None:
    """K8: also where the tenant has no provider's key, by the command and by a process that is behind."""
    text = make_text()
    old = DataKey.objects.get()
    assert "1 versions encrypted anew, 1 data keys destroyed" in run("rotate_data_key", "--all")
    old.refresh_from_db()
    assert bytes(old.wrapped) == b""
    assert text_of(text) == PLAIN
    forget_data_keys()
    assert unseal_text(text, tenant_id=text.tenant_id, purpose="test").reveal() == PLAIN
    assert check_vault() == []


def test_text_that_somebody_changed_meanwhile_is_left_alone() -> None:
    """K8: what was read is swapped, nothing else; an erased one stays erased."""
    text = make_text()
    replace_data_key(DataKey.objects.get().id, at=LATER)
    erase_texts(text.id, at=LATER)
    assert seal_anew(text, at=LATER) == 0
    assert bytes(SealedText.objects.get().ciphertext) == b""


def test_text_that_does_not_decrypt_keeps_its_data_key() -> None:
    """K8: a backup may still help; what is broken is told."""
    text = make_text()
    by_sql("UPDATE vault_sealedtext SET purpose = 'other'")
    assert "1 versions do not decrypt" in refusal("rotate_data_key", "--all")
    assert DataKey.objects.get(id=text.data_key_id).destroyed_at is None


def test_database_keeps_what_is_needed() -> None:
    """K8: no data key goes that a text needs, no text lies under one that is gone, and an erased one holds nothing."""
    text = make_text()
    old = DataKey.objects.get()
    replace_data_key(old.id, at=AT)
    with pytest.raises(IntegrityError, match="still encrypted"), transaction.atomic():
        DataKey.objects.filter(id=old.id).update(wrapped=b"", destroyed_at=AT)
    rotate_data_key(tenant_id=text.tenant_id, made_before=AT, at=LATER, tell=lambda _: None)
    with pytest.raises(IntegrityError, match="is destroyed"), transaction.atomic():
        SealedText.objects.update(data_key_id=old.id)
    with pytest.raises(IntegrityError, match="sealedtext_erased"), transaction.atomic():
        SealedText.objects.update(erased_at=AT)


def test_erased_text_is_gone() -> None:
    """N1: nothing of it is left, and its data key can go."""
    text = make_text()
    assert erase_texts(text.id, at=LATER) == 1
    assert erase_texts(text.id, at=LATER) == 0
    with pytest.raises(Unreadable):
        text_of(text)
    assert "0 versions encrypted anew, 1 data keys destroyed" in run("rotate_data_key", "--all")
