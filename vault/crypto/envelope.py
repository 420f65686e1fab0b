"""How a key's text is written: version | algorithm | data key id | nonce | commitment | ciphertext and tag (K1).

Whatever the row says of the key is authenticated with it, so that a ciphertext decrypts only in its own row. GCM alone
lets one ciphertext fit two keys; the commitment, derived from the data key, is compared before anything is decrypted.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto.aead import KEY_BYTES, NONCE_BYTES, TAG_BYTES, gcm_decrypt, gcm_encrypt, length_prefixed
from vault.crypto.secret import Secret
from vault.errors import Unreadable

_FORMAT = b"\x01\x01"  # version 1; algorithm 1: HKDF-SHA-256, then AES-256-GCM
_ID = slice(len(_FORMAT), len(_FORMAT) + 16)
_NONCE = slice(_ID.stop, _ID.stop + NONCE_BYTES)
_COMMITMENT = slice(_NONCE.stop, _NONCE.stop + 32)
_HEADER = slice(0, _COMMITMENT.stop)


class Bound(Protocol):
    """What a ciphertext belongs to: whose data key, and what is authenticated with it. No tenant: the platform."""

    @property
    def tenant_id(self) -> UUID | None: ...

    @property
    def label(self) -> bytes: ...

    def fields(self) -> tuple[bytes, ...]: ...


@dataclass(frozen=True)
class Binding:
    """A version of a provider's key."""

    tenant_id: UUID | None
    credential_id: UUID
    number: int
    provider: str
    base_url: str

    @property
    def label(self) -> bytes:
        return b"quaestor credential"

    def fields(self) -> tuple[bytes, ...]:
        return (
            _id_bytes(self.tenant_id),
            self.credential_id.bytes,
            str(self.number).encode(),
            self.provider.encode(),
            self.base_url.encode(),
        )


@dataclass(frozen=True)
class TextBinding:
    """A text of a tenant's for one purpose."""

    tenant_id: UUID | None
    text_id: UUID
    purpose: str

    @property
    def label(self) -> bytes:
        return b"quaestor text"

    def fields(self) -> tuple[bytes, ...]:
        return _id_bytes(self.tenant_id), self.text_id.bytes, self.purpose.encode()


def encrypt(data_key: bytes, data_key_id: UUID, plain: Secret, binding: Bound) -> bytes:
    """The secret, readable only with this data key as what `binding` says."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    key, commitment = _derive(data_key, nonce)
    header = _FORMAT + data_key_id.bytes + nonce + commitment
    return header + gcm_encrypt(key, nonce, plain.reveal().encode(), _associated(header, binding))


def decrypt(data_key: bytes, data_key_id: UUID, blob: bytes, binding: Bound) -> Secret:
    """The secret. Raises Unreadable where the key, the binding or any byte is another than at encryption."""
    if data_key_id_of(blob) != data_key_id:
        raise Unreadable("The ciphertext names another data key than its row.")
    nonce = blob[_NONCE]
    key, commitment = _derive(data_key, nonce)
    if not hmac.compare_digest(commitment, blob[_COMMITMENT]):
        raise Unreadable("The ciphertext was made with another data key.")
    plain = gcm_decrypt(key, nonce, blob[_HEADER.stop :], _associated(blob[_HEADER], binding))
    return Secret(plain.decode())


def data_key_id_of(blob: bytes) -> UUID:
    """Which data key the ciphertext says it needs: keys are looked up, never tried."""
    if len(blob) < _HEADER.stop + TAG_BYTES or not blob.startswith(_FORMAT):
        raise Unreadable("The ciphertext has no format that is known here.")
    return UUID(bytes=blob[_ID])


def _derive(data_key: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """A key for this one message, and the commitment to it (HKDF, RFC 5869)."""
    if len(data_key) != KEY_BYTES:
        raise Unreadable("The data key has the wrong length.")
    both = HKDF(SHA256(), length=KEY_BYTES + 32, salt=nonce, info=b"quaestor vault 1").derive(data_key)
    return both[:KEY_BYTES], both[KEY_BYTES:]


def _associated(header: bytes, binding: Bound) -> bytes:
    return length_prefixed(binding.label, header, *binding.fields())


def _id_bytes(owner: UUID | None) -> bytes:
    return owner.bytes if owner else b""
