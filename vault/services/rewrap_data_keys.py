from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from vault.errors import KekRefused, Unreadable, VaultNotConfigured
from vault.kek_rows import active_kek
from vault.keks.base import context_of
from vault.keks.proof import gives_back
from vault.keks.registry import wrapper_of
from vault.models import DataKey, KeyEncryptionKey

_BATCH = 100


@dataclass(slots=True)
class Rewrapping:
    """How far it is: data keys wrapped anew here, those that do not unwrap, and those still under another key."""

    done: int = 0
    left: int = 0
    unreadable: list[UUID] = field(default_factory=list)


def rewrap_data_keys(*, tell: Callable[[Rewrapping], None]) -> Rewrapping:
    """Wrap every data key with the active key-encryption key (K8); no credential is touched, no row locked meanwhile.

    Each is unwrapped, wrapped, unwrapped again and compared before one statement swaps it, if it is still what was
    read: it can be killed at any point, run again, and run several times at once. Raises KekRefused, KekUnavailable,
    VaultNotConfigured of the active key.
    """
    so_far, after = Rewrapping(), UUID(int=0)
    while True:
        active = active_kek()
        batch = list(_others(active).filter(id__gt=after).select_related("kek").order_by("id")[:_BATCH])
        if not batch:
            so_far.left = _others(active).count()
            return so_far
        for row in batch:
            _rewrap_one(row, active, so_far)
        after = batch[-1].id
        so_far.left = _others(active).count()
        tell(so_far)


def _others(active: KeyEncryptionKey) -> QuerySet[DataKey]:
    return DataKey.objects.filter(destroyed_at=None).exclude(kek=active)


def _rewrap_one(row: DataKey, active: KeyEncryptionKey, so_far: Rewrapping) -> None:
    as_read = DataKey.objects.filter(id=row.id, kek_id=row.kek_id, wrapped=row.wrapped, destroyed_at=None)
    try:
        wrapped = _wrapped_anew(row, active)
    except Unreadable:
        if as_read.exists():
            so_far.unreadable.append(row.id)
        return
    except VaultNotConfigured:
        if as_read.exists():
            raise
        return
    so_far.done += as_read.update(kek=active, wrapped=wrapped)


@sensitive_variables()
def _wrapped_anew(row: DataKey, active: KeyEncryptionKey) -> bytes:
    context = context_of(data_key_id=row.id, tenant_id=row.tenant_id)
    data_key = wrapper_of(row.kek).unwrap(bytes(row.wrapped), context=context)
    wrapper = wrapper_of(active)
    wrapped = wrapper.wrap(data_key, context=context)
    if not gives_back(wrapper, wrapped, data_key, context=context):
        raise KekRefused(f"{active.name} does not give back what it wrapped; nothing was changed.")
    return wrapped
