"""Finds the code for a key-encryption key's backend; the key services' libraries are optional extras."""

from importlib import import_module
from typing import cast

from vault.errors import VaultNotConfigured
from vault.keks.base import KeyWrapper
from vault.models import KeyEncryptionKey

_BACKENDS = {
    KeyEncryptionKey.Backend.LOCAL: ("vault.keks.local", "LocalKey"),
    KeyEncryptionKey.Backend.AWS: ("vault.keks.aws", "AwsKey"),
    KeyEncryptionKey.Backend.GCP: ("vault.keks.gcp", "GcpKey"),
    KeyEncryptionKey.Backend.TRANSIT: ("vault.keks.transit", "TransitKey"),
}


def wrapper_of(kek: KeyEncryptionKey) -> KeyWrapper:
    """The key where its row says it is. Raises VaultNotConfigured where the backend's library is not installed."""
    module, name = _BACKENDS[KeyEncryptionKey.Backend(kek.backend)]
    try:
        backend = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("vault"):
            raise
        raise VaultNotConfigured(
            f"The key-encryption key {kek.name} needs a library that is not here: pip install quaestor[{kek.backend}]"
        ) from error
    return cast("KeyWrapper", backend(kek.location))
