"""Secret texts of tenants that are no provider's keys, such as those that webhooks are signed with (N1)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from vault.crypto.envelope import TextBinding, decrypt
from vault.crypto.secret import Secret
from vault.data_keys import open_data_key
from vault.errors import Unreadable
from vault.models import SealedText
from vault.sealing import seal


def seal_text(*, tenant_id: UUID, purpose: str, plain: Secret, at: datetime) -> SealedText:
    """Keep a text for one purpose, in the transaction of what refers to it; see `versions.unwrap_data_key`.

    Raises VaultNotConfigured, KekUnavailable, or Unreadable (of the data key).
    """
    text_id = uuid7()
    sealed = seal(plain, TextBinding(tenant_id, text_id, purpose), at=at)
    return SealedText.objects.create(
        id=text_id,
        tenant_id=tenant_id,
        purpose=purpose,
        data_key_id=sealed.data_key_id,
        ciphertext=sealed.ciphertext,
        created_at=at,
    )


def unseal_text(text: SealedText, *, tenant_id: UUID, purpose: str) -> Secret:
    """The text, for whom and for what the caller says. Raises Unreadable; KekUnavailable and VaultNotConfigured.

    One that was encrypted under another data key since it was read is read again (K8).
    """
    if text.tenant_id != tenant_id or text.purpose != purpose:
        raise Unreadable("The text is another tenant's, or for another purpose.")
    if text.erased_at is not None:
        raise Unreadable("The text is erased.")
    try:
        return _open(text)
    except Unreadable:
        moved = SealedText.objects.filter(id=text.id, erased_at=None).first()
        if moved is None or moved.data_key_id == text.data_key_id:
            raise
        return _open(moved)


@transaction.atomic
def seal_anew(text: SealedText, *, at: datetime) -> int:
    """Encrypt a text under the data key in use, if it is still what was read; answers whether it was (K8).

    What does not read back is not kept. Raises Unreadable, KekUnavailable, VaultNotConfigured.
    """
    plain = _open(text)
    sealed = seal(plain, TextBinding(text.tenant_id, text.id, text.purpose), at=at)
    as_read = SealedText.objects.filter(
        id=text.id, data_key_id=text.data_key_id, ciphertext=text.ciphertext, erased_at=None
    )
    written = as_read.update(data_key_id=sealed.data_key_id, ciphertext=sealed.ciphertext)
    if written and not _open(SealedText.objects.get(id=text.id)).same_as(plain):
        raise Unreadable("What was written is another text.")
    return written


def erase_texts(*text_ids: UUID, at: datetime) -> int:
    """Erase texts for good; answers how many there were."""
    live = SealedText.objects.filter(id__in=text_ids, erased_at=None)
    return live.update(ciphertext=b"", erased_at=at)


def _open(text: SealedText) -> Secret:
    binding = TextBinding(text.tenant_id, text.id, text.purpose)
    return decrypt(open_data_key(text.data_key_id), text.data_key_id, bytes(text.ciphertext), binding)
