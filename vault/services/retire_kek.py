from datetime import datetime

from django.db import IntegrityError, transaction

from vault.errors import KekRefused
from vault.kek_rows import find_kek, lock_keks
from vault.models import DataKey, KeyEncryptionKey

State = KeyEncryptionKey.State


def retire_kek(*, name: str, at: datetime) -> KeyEncryptionKey:
    """End a key-encryption key for good (K8). The database refuses while a data key is wrapped by it.

    Nothing happens to the key itself: backups may hold data keys that it wrapped. Raises KekRefused.
    """
    try:
        return _retire(name, at)
    except IntegrityError:
        left = DataKey.objects.filter(kek__name=name, destroyed_at=None).count()
        raise KekRefused(f"{left} data keys are still wrapped by {name}: run rewrap_data_keys.") from None


@transaction.atomic
def _retire(name: str, at: datetime) -> KeyEncryptionKey:
    lock_keks()
    kek = find_kek(name)
    if kek.state == State.ACTIVE:
        raise KekRefused(f"{name} is active: activate another key first.")
    if kek.state != State.RETIRED:
        kek.state, kek.retired_at = State.RETIRED, at
        kek.save(update_fields=["state", "retired_at"])
    return kek
