"""AES-256 in Galois/counter mode (NIST SP 800-38D) with nonces of 96 bits and tags of 128: all that the vault uses."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.errors import Unreadable

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


def gcm_encrypt(key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
    """The ciphertext with its tag at the end. A nonce must never meet the same key twice."""
    _check(key, nonce)
    return AESGCM(key).encrypt(nonce, plain, associated)


def gcm_decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plain bytes; anything but what `gcm_encrypt` made of the same arguments raises Unreadable."""
    _check(key, nonce)
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise Unreadable("The ciphertext is not authentic.") from None


def length_prefixed(*fields: bytes) -> bytes:
    """The fields in one, each behind its length, so that no two lists give the same bytes."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def _check(key: bytes, nonce: bytes) -> None:
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise Unreadable("The key or the nonce has the wrong length.")
