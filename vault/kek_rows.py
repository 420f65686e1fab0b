"""Rows of key-encryption keys as the commands name and change them."""

from django.db import connection

from vault.errors import KekRefused
from vault.models import KeyEncryptionKey

_LOCK = 0x5155_4145_0003  # any number that nothing else in this database locks


def find_kek(name: str) -> KeyEncryptionKey:
    """The key of that name. Raises KekRefused."""
    kek = KeyEncryptionKey.objects.filter(name=name).first()
    if kek is None:
        known = ", ".join(KeyEncryptionKey.objects.order_by("created_at").values_list("name", flat=True))
        raise KekRefused(f"No key-encryption key is named {name}. Known: {known or 'none'}.")
    return kek


def active_kek() -> KeyEncryptionKey:
    """The one that wraps. Raises KekRefused where there is none."""
    kek = KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).first()
    if kek is None:
        raise KekRefused("No key-encryption key is active; `manage.py create_kek` makes one.")
    return kek


def lock_keks() -> None:
    """Let one transaction at a time add a key or change a state: the first key has no row to lock yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
