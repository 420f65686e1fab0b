from datetime import datetime

from django.db import transaction

from vault.errors import KekRefused
from vault.kek_rows import find_kek, lock_keks
from vault.keks.proof import prove
from vault.keks.registry import wrapper_of
from vault.models import KeyEncryptionKey

State = KeyEncryptionKey.State


def activate_kek(*, name: str, at: datetime) -> KeyEncryptionKey | None:
    """Let a staged key wrap from now on, or a retiring one again; answers the one that only unwraps from now on (K8).

    Refused where the key does not show that it works from here. Raises KekRefused, KekUnavailable, VaultNotConfigured.
    """
    prove(wrapper_of(_startable(name)))
    return _swap(name, at)


def _startable(name: str) -> KeyEncryptionKey:
    kek = find_kek(name)
    if kek.state == State.RETIRED:
        raise KekRefused(f"{name} is retired for good; make a new key.")
    return kek


@transaction.atomic
def _swap(name: str, at: datetime) -> KeyEncryptionKey | None:
    lock_keks()
    kek = _startable(name)
    if kek.state == State.ACTIVE:
        return None
    old = KeyEncryptionKey.objects.filter(state=State.ACTIVE).first()
    if old is not None:
        old.state = State.RETIRING
        old.save(update_fields=["state"])
    kek.state, kek.activated_at = State.ACTIVE, at
    kek.save(update_fields=["state", "activated_at"])
    return old
