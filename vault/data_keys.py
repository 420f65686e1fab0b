"""Data keys: one in use for each tenant and one for the platform, made when first needed, wrapped where they lie.

A data key is unwrapped before any row is locked: the key service may be slow. In a transaction, the count of an
encryption locks the data key's row until the end, so that a key is not replaced between an encryption and its insert.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from uuid_utils.compat import uuid7

from vault.crypto.aead import KEY_BYTES
from vault.errors import Unreadable, VaultError, VaultNotConfigured
from vault.keks.base import context_of
from vault.keks.registry import wrapper_of
from vault.models import DataKey, KeyEncryptionKey

ENCRYPTIONS_A_KEY = 2**20
"""After so many encryptions a key is replaced: a 4096th of what NIST SP 800-38D allows under random nonces (K8)."""
_ATTEMPTS = 10  # one more is needed each time that somebody else replaces the key in between


@dataclass(frozen=True)
class OpenDataKey:
    """A data key, unwrapped."""

    id: UUID
    key: bytes = field(repr=False)


class _Memory:
    """Unwrapped data keys by id, for a short while and not too many. Only keys: who may use one is asked each time."""

    seconds = 60.0
    size = 1000

    def __init__(self) -> None:
        self._keys: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, data_key_id: UUID) -> bytes | None:
        with self._lock:
            until, key = self._keys.get(data_key_id, (0.0, b""))
            if until > time.monotonic():
                return key
            self._keys.pop(data_key_id, None)
            return None

    def put(self, data_key_id: UUID, key: bytes) -> None:
        with self._lock:
            self._keys[data_key_id] = time.monotonic() + self.seconds, key
            while len(self._keys) > self.size:
                self._keys.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


_memory = _Memory()
forget_data_keys = _memory.clear


def data_key_for(tenant_id: UUID | None, *, at: datetime) -> OpenDataKey:
    """The key in use of a tenant, or of the platform, with one encryption counted.

    Raises VaultNotConfigured, KekUnavailable, or Unreadable where the key in use cannot be unwrapped.
    """
    for _attempt in range(_ATTEMPTS):
        row = _in_use(tenant_id).first()
        if row is None:
            _create(tenant_id, replacing=None, at=at)
            continue
        key = open_data_key(row.id)
        if _count(row.id):
            return OpenDataKey(row.id, key)
        replace_data_key(row.id, at=at)
    raise VaultError("No data key could be taken into use.")


def replace_data_key(data_key_id: UUID, *, at: datetime) -> None:
    """From now on the key only decrypts, and its owner has a new one. Does nothing if it is replaced already."""
    row = DataKey.objects.get(id=data_key_id)
    if row.replaced_at is None:
        _create(row.tenant_id, replacing=row.id, at=at)


def open_data_key(data_key_id: UUID) -> bytes:
    """The unwrapped key, remembered for a minute. Raises Unreadable where it is gone, destroyed or does not unwrap."""
    key = _memory.get(data_key_id)
    if key is None:
        row = DataKey.objects.select_related("kek").filter(id=data_key_id, destroyed_at__isnull=True).first()
        if row is None:
            raise Unreadable("The data key is gone.")
        context = context_of(data_key_id=row.id, tenant_id=row.tenant_id)
        key = wrapper_of(row.kek).unwrap(bytes(row.wrapped), context=context)
        if len(key) != KEY_BYTES:
            raise Unreadable("The data key has the wrong length.")
        _memory.put(data_key_id, key)
    return key


def _in_use(tenant_id: UUID | None) -> QuerySet[DataKey]:
    keys = DataKey.objects.filter(replaced_at__isnull=True)
    return keys.filter(tenant__isnull=True) if tenant_id is None else keys.filter(tenant_id=tenant_id)


def _count(data_key_id: UUID) -> bool:
    usable = DataKey.objects.filter(id=data_key_id, replaced_at__isnull=True, encryptions__lt=ENCRYPTIONS_A_KEY)
    return usable.update(encryptions=F("encryptions") + 1) == 1


def _create(tenant_id: UUID | None, *, replacing: UUID | None, at: datetime) -> None:
    """A new key in use, unless somebody else was faster."""
    kek = KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).first()
    if kek is None:
        raise VaultNotConfigured("No key-encryption key is active; `manage.py create_kek` makes one (docs/vault.md).")
    data_key_id = uuid7()
    context = context_of(data_key_id=data_key_id, tenant_id=tenant_id)
    wrapped = wrapper_of(kek).wrap(secrets.token_bytes(KEY_BYTES), context=context)
    new = DataKey(id=data_key_id, tenant_id=tenant_id, kek=kek, wrapped=wrapped, created_at=at)
    try:
        with transaction.atomic():
            if replacing is None or DataKey.objects.filter(id=replacing, replaced_at__isnull=True).update(
                replaced_at=at
            ):
                new.save(force_insert=True)
    except IntegrityError:
        if not _in_use(tenant_id).exists():
            raise
