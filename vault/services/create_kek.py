import re
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from vault.errors import KekRefused
from vault.kek_rows import lock_keks
from vault.keks.local import create_local_key
from vault.keks.proof import prove
from vault.keks.registry import wrapper_of
from vault.models import KeyEncryptionKey

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def create_kek(*, name: str, backend: str, location: str, at: datetime) -> KeyEncryptionKey:
    """Make a key-encryption key known: the first one is active at once, later ones are staged (K1, K8).

    A location names a key that is there already, in the key service or in VAULT_KEK_DIR; only a local key without one
    is made, in a file of a new name. Refused where the key does not show that it works from here. Raises KekRefused,
    KekUnavailable, VaultNotConfigured.
    """
    if not _NAME.fullmatch(name):
        raise KekRefused("A name has small letters, digits and dashes, at most 60.")
    if KeyEncryptionKey.objects.filter(name=name).exists():
        raise KekRefused(f"{name} is there already; a key-encryption key never changes, give the new one another name.")
    kek = KeyEncryptionKey(name=name, backend=backend, location=location or _made(name, backend), created_at=at)
    prove(wrapper_of(kek))
    try:
        return _store(kek)
    except IntegrityError:
        raise KekRefused("Another row names this key already, or has this name.") from None


def _made(name: str, backend: str) -> str:
    """The file of a new key: its name is never used again, so that nothing a database forgot is in the way."""
    if backend != KeyEncryptionKey.Backend.LOCAL:
        raise KekRefused(f"--location says which key of the service it is; the backend {backend} makes none.")
    location = f"{name}-{secrets.token_hex(4)}.key"
    create_local_key(location)
    return location


@transaction.atomic
def _store(kek: KeyEncryptionKey) -> KeyEncryptionKey:
    lock_keks()
    if not KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).exists():
        kek.state, kek.activated_at = KeyEncryptionKey.State.ACTIVE, kek.created_at
    kek.save(force_insert=True)
    return kek
