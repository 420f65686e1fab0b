from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from tenants.services.record_audit import SYSTEM
from vault.crypto.envelope import Binding
from vault.crypto.secret import Secret
from vault.data_keys import forget_data_keys, replace_data_key
from vault.errors import Unreadable
from vault.locks import lock_credential
from vault.models import CredentialAccess, CredentialVersion, DataKey, SealedText
from vault.records import note_access
from vault.sealed_texts import seal_anew
from vault.sealing import seal, unseal
from vault.versions import unwrap_data_key

_BATCH = 100


@dataclass(slots=True)
class Rotation:
    """What was done for one owner: versions and texts encrypted anew, data keys destroyed, what does not decrypt."""

    moved: int = 0
    destroyed: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate_data_key(
    *, tenant_id: UUID | None, made_before: datetime, at: datetime, tell: Callable[[Rotation], None]
) -> Rotation:
    """Give a tenant, or the platform, a new data key unless its own is newer; encrypt what hangs on older ones under
    it; destroy what nothing hangs on any more (K8).

    Each version, and each other text, is swapped in one statement if it is still what was read: it can be killed at
    any point, run again, and run several times at once, while keys are added and handed out. Raises KekUnavailable,
    VaultNotConfigured.
    """
    in_use = DataKey.objects.filter(Q(tenant_id=tenant_id), replaced_at=None, created_at__lt=made_before).first()
    if in_use is not None:
        replace_data_key(in_use.id, at=at)
    so_far, after = Rotation(), UUID(int=0)
    while batch := list(_under_replaced(tenant_id).filter(id__gt=after).order_by("id")[:_BATCH]):
        unwrap_data_key(tenant_id)
        for version in batch:
            _move(version, tenant_id, so_far, at)
        after = batch[-1].id
        tell(so_far)
    if tenant_id is not None:
        _move_texts(tenant_id, so_far, tell, at)
    so_far.destroyed = _destroy_unused(tenant_id, at)
    return so_far


def _under_replaced(tenant_id: UUID | None) -> QuerySet[CredentialVersion]:
    live = CredentialVersion.objects.filter(Q(data_key__tenant_id=tenant_id), revoked_at=None)
    return live.exclude(data_key__replaced_at=None).select_related("credential")


def _move(version: CredentialVersion, tenant_id: UUID | None, so_far: Rotation, at: datetime) -> None:
    as_read = CredentialVersion.objects.filter(
        id=version.id, data_key_id=version.data_key_id, ciphertext=version.ciphertext, revoked_at=None
    )
    try:
        plain = unseal(version.credential, version, tenant_id=tenant_id)
        so_far.moved += _encrypt_anew(version, plain, as_read, at)
    except Unreadable:
        if as_read.exists():
            so_far.unreadable.append(f"version {version.number} of {version.credential_id}")
            _note(version, CredentialAccess.Outcome.UNREADABLE, at)


@transaction.atomic
def _encrypt_anew(version: CredentialVersion, plain: Secret, as_read: QuerySet[CredentialVersion], at: datetime) -> int:
    """Under the lock of the credential's row, as every change of its versions. What does not read back is not kept."""
    key = lock_credential(version.credential.tenant_id, version.credential_id)
    sealed = seal(plain, Binding(key.tenant_id, key.id, version.number, key.provider, key.base_url), at=at)
    written = as_read.update(data_key_id=sealed.data_key_id, ciphertext=sealed.ciphertext)
    if written:
        stored = CredentialVersion.objects.get(id=version.id)
        if not unseal(key, stored, tenant_id=key.tenant_id).same_as(plain):
            raise Unreadable("What was written is another text.")
        _note(version, CredentialAccess.Outcome.GRANTED, at)
    return written


def _move_texts(tenant_id: UUID, so_far: Rotation, tell: Callable[[Rotation], None], at: datetime) -> None:
    """The same for texts that are no providers' keys; the platform has none."""
    live = SealedText.objects.filter(tenant_id=tenant_id, erased_at=None).exclude(data_key__replaced_at=None)
    for text in list(live.order_by("id")):
        unwrap_data_key(tenant_id)
        try:
            so_far.moved += seal_anew(text, at=at)
        except Unreadable:
            if SealedText.objects.filter(id=text.id, ciphertext=text.ciphertext).exists():
                so_far.unreadable.append(f"text {text.id}")
        tell(so_far)


def _note(version: CredentialVersion, outcome: CredentialAccess.Outcome, at: datetime) -> None:
    purpose = CredentialAccess.Purpose.REENCRYPT
    note_access(key=version.credential, number=version.number, outcome=outcome, actor=SYSTEM, at=at, purpose=purpose)


def _destroy_unused(tenant_id: UUID | None, at: datetime) -> int:
    """Erase the bytes of replaced data keys that nothing hangs on. Whoever is storing a key under one is waited for."""
    versions = CredentialVersion.objects.filter(data_key_id=OuterRef("id"), revoked_at=None)
    texts = SealedText.objects.filter(data_key_id=OuterRef("id"), erased_at=None)
    replaced = DataKey.objects.filter(Q(tenant_id=tenant_id), destroyed_at=None).exclude(replaced_at=None)
    ids = replaced.exclude(Exists(versions)).exclude(Exists(texts)).values_list("id", flat=True)
    destroyed = sum(_destroy(data_key_id, at) for data_key_id in list(ids))
    forget_data_keys()
    return destroyed


@transaction.atomic
def _destroy(data_key_id: UUID, at: datetime) -> int:
    row = DataKey.objects.select_for_update().get(id=data_key_id)
    is_used = row.versions.filter(revoked_at=None).exists() or row.sealed_texts.filter(erased_at=None).exists()
    if row.destroyed_at is not None or is_used:
        return 0
    return DataKey.objects.filter(id=data_key_id).update(wrapped=b"", destroyed_at=at)
