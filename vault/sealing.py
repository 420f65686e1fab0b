"""Between rows and `Secret`s: what a ciphertext is bound to is read from the rows that it lies in (K1)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vault.crypto.envelope import Binding, Bound, decrypt, encrypt
from vault.crypto.secret import Secret
from vault.data_keys import data_key_for, open_data_key
from vault.errors import Unreadable
from vault.models import Credential, CredentialVersion


@dataclass(frozen=True)
class Sealed:
    """What a version's row keeps of a key's text."""

    data_key_id: UUID
    ciphertext: bytes


def seal(plain: Secret, binding: Bound, *, at: datetime) -> Sealed:
    """Encrypt under the tenant's data key. Raises VaultNotConfigured, KekUnavailable or Unreadable (of the data key).

    Best inside the transaction that writes the version: then the data key is not replaced before it.
    """
    data_key = data_key_for(binding.tenant_id, at=at)
    return Sealed(data_key.id, encrypt(data_key.key, data_key.id, plain, binding))


def unseal(credential: Credential, version: CredentialVersion, *, tenant_id: UUID | None) -> Secret:
    """The text of a version. Raises Unreadable; KekUnavailable and VaultNotConfigured say nothing against the key.

    `tenant_id` is whom the caller acts for (None: the platform), from anywhere but the credential: a query that
    forgot to filter by tenant then finds a key that does not decrypt. A version that was encrypted under another data
    key since it was read is read again, as its old data key may be destroyed by now (K8).
    """
    if credential.tenant_id != tenant_id:
        raise Unreadable("The key is another tenant's.")
    if version.revoked_at is not None:
        raise Unreadable("The version is erased.")
    try:
        return _open(credential, version)
    except Unreadable:
        moved = CredentialVersion.objects.filter(id=version.id, revoked_at=None).first()
        if moved is None or moved.data_key_id == version.data_key_id:
            raise
        return _open(credential, moved)


def _open(credential: Credential, version: CredentialVersion) -> Secret:
    binding = Binding(credential.tenant_id, credential.id, version.number, credential.provider, credential.base_url)
    return decrypt(open_data_key(version.data_key_id), version.data_key_id, bytes(version.ciphertext), binding)
