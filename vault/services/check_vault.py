from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from vault.data_keys import forget_data_keys, open_data_key
from vault.errors import VaultError
from vault.models import Credential, CredentialVersion, DataKey, KeyEncryptionKey, SealedText
from vault.references import unvisited_references
from vault.sealed_texts import unseal_text
from vault.sealing import unseal

_LIVE = Q(revoked_at=None)
_HELD = Q(destroyed_at=None)
_KEPT = Q(erased_at=None)


def check_vault() -> list[str]:
    """Prove that the vault is whole, and answer what is not; no finding holds a secret (K1, K8).

    Every data key unwraps now and every text decrypts; nothing hangs on a key that is retired or destroyed;
    what is erased keeps no bytes; every credential has the version that it uses; no table is left out by rotation.
    It may run beside everything else: what changes meanwhile is looked at again before it is a finding.
    """
    return [*_keks(), *_rows(), *unvisited_references(), *_unreadable()]


def _keks() -> Iterator[str]:
    if not KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).exists():
        yield "No key-encryption key is active, so that no key can be stored: run create_kek or activate_kek."


def _rows() -> Iterator[str]:
    """What rows say of each other: the database holds most of it, but not against SQL with its triggers off."""
    wrapping = (KeyEncryptionKey.State.ACTIVE, KeyEncryptionKey.State.RETIRING)
    versions, data_keys = CredentialVersion.objects.all(), DataKey.objects.all()
    has_current = CredentialVersion.objects.filter(
        _LIVE, credential_id=OuterRef("id"), number=OuterRef("current_number")
    )
    texts = SealedText.objects.all()
    broken: dict[str, QuerySet[DataKey] | QuerySet[CredentialVersion] | QuerySet[Credential] | QuerySet[SealedText]] = {
        "data key {} hangs on a retired or staged key-encryption key": data_keys.filter(_HELD).exclude(
            kek__state__in=wrapping
        ),
        "data key {} is destroyed, and its bytes are there": data_keys.exclude(_HELD).exclude(wrapped=b""),
        "version {} is revoked, and its ciphertext is there": versions.exclude(_LIVE).exclude(ciphertext=b""),
        "version {} is live, and its credential is revoked": versions.filter(_LIVE).exclude(
            credential__revoked_at=None
        ),
        "version {} hangs on a destroyed data key": versions.filter(_LIVE).exclude(data_key__destroyed_at=None),
        "version {} hangs on another owner's data key": versions.filter(_LIVE).exclude(
            Q(data_key__tenant_id=F("credential__tenant_id")) | Q(data_key__tenant_id=None, credential__tenant_id=None)
        ),
        "text {} is erased, and its ciphertext is there": texts.exclude(_KEPT).exclude(ciphertext=b""),
        "text {} hangs on a destroyed data key": texts.filter(_KEPT).exclude(data_key__destroyed_at=None),
        "text {} hangs on another owner's data key": texts.filter(_KEPT).exclude(data_key__tenant_id=F("tenant_id")),
        "credential {} has lost the version that it uses": Credential.objects.filter(
            ~Exists(has_current), revoked_at=None
        ),
    }
    for sentence, rows in broken.items():
        for row_id in rows.order_by("id").values_list("id", flat=True):
            yield sentence.format(row_id).capitalize() + "."


def _unreadable() -> Iterator[str]:
    """One data key after the other, so that the memory of unwrapped keys stays small."""
    for row in DataKey.objects.filter(_HELD).order_by("id").iterator(chunk_size=200):
        forget_data_keys()
        try:
            open_data_key(row.id)
        except VaultError as error:
            if DataKey.objects.filter(_HELD, id=row.id, kek_id=row.kek_id, wrapped=row.wrapped).exists():
                yield f"Data key {row.id} does not unwrap: {error}"
            continue
        yield from _unreadable_under(row)
        yield from _unreadable_texts(row)


def _unreadable_under(data_key: DataKey) -> Iterator[str]:
    versions = CredentialVersion.objects.filter(_LIVE, data_key=data_key).select_related("credential")
    for version in versions.order_by("id").iterator(chunk_size=200):
        try:
            unseal(version.credential, version, tenant_id=version.credential.tenant_id)
        except VaultError as error:
            as_read = CredentialVersion.objects.filter(_LIVE, id=version.id, ciphertext=version.ciphertext)
            if as_read.exists():
                yield f"Version {version.number} of credential {version.credential_id} does not decrypt: {error}"


def _unreadable_texts(data_key: DataKey) -> Iterator[str]:
    texts = SealedText.objects.filter(_KEPT, data_key=data_key)
    for text in texts.order_by("id").iterator(chunk_size=200):
        try:
            unseal_text(text, tenant_id=text.tenant_id, purpose=text.purpose)
        except VaultError as error:
            if texts.filter(id=text.id, ciphertext=text.ciphertext).exists():
                yield f"Text {text.id} does not decrypt: {error}"
