"""What wraps data keys: the same two calls for a file of this machine and for every key service."""

from typing import Protocol
from uuid import UUID

from vault.crypto.aead import length_prefixed


class KeyWrapper(Protocol):
    """A key-encryption key. Both calls raise VaultNotConfigured where it cannot be used at all."""

    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        """The data key, readable only by `unwrap` with the same context. Raises KekUnavailable."""
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """The data key. Raises Unreadable, or KekUnavailable where the service does not answer."""
        ...


def context_of(*, data_key_id: UUID, tenant_id: UUID | None) -> bytes:
    """What a wrapped data key is bound to, so that it opens only in its own row (K1). No tenant: the platform."""
    return length_prefixed(b"quaestor data key", data_key_id.bytes, tenant_id.bytes if tenant_id else b"")
