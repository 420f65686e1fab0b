"""One data key in use for each tenant, whoever needs it at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Sum

from tests.make import AT, make_tenant
from vault import data_keys
from vault.data_keys import OpenDataKey, data_key_for, forget_data_keys, open_data_key, replace_data_key
from vault.errors import Unreadable
from vault.models import DataKey


def at_once(tenant_id: UUID | None, times: int) -> list[OpenDataKey]:
    ready = Barrier(times)

    def run(_number: int) -> OpenDataKey:
        try:
            ready.wait()
            return data_key_for(tenant_id, at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


@pytest.mark.usefixtures("vault")
def test_key_is_made_once_and_counts() -> None:
    """K1: each tenant has its own, the platform too."""
    tenant, other = make_tenant(), make_tenant()
    first, second = data_key_for(tenant.id, at=AT), data_key_for(tenant.id, at=AT)
    assert first == second
    assert DataKey.objects.get(id=first.id).encryptions == 2
    assert len({first.key, data_key_for(other.id, at=AT).key, data_key_for(None, at=AT).key}) == 3


@pytest.mark.usefixtures("vault")
def test_key_is_not_printed() -> None:
    """K2: neither of the key in use nor of its row."""
    data_key = data_key_for(None, at=AT)
    assert repr(data_key) == f"OpenDataKey(id={data_key.id!r})"
    assert data_key.key not in bytes(DataKey.objects.get(id=data_key.id).wrapped)


@pytest.mark.usefixtures("own_vault")
@pytest.mark.parametrize("platform", [False, True])
def test_first_need_by_many_at_once_makes_one_key(platform: bool) -> None:
    """K1: connections of their own, and one key in use afterwards with every encryption counted."""
    tenant_id = None if platform else make_tenant().id
    assert len({key.id for key in at_once(tenant_id, 8)}) == 1
    assert DataKey.objects.filter(tenant_id=tenant_id).get().encryptions == 8


@pytest.mark.usefixtures("own_vault")
def test_used_up_key_is_replaced_once_by_many() -> None:
    """K8: a key at its limit decrypts only; whoever comes next uses one and the same new key."""
    tenant = make_tenant()
    old = data_key_for(tenant.id, at=AT)
    DataKey.objects.update(encryptions=data_keys.ENCRYPTIONS_A_KEY - 3)
    used = Counter(key.id for key in at_once(tenant.id, 8))
    assert used[old.id] == 3
    assert sorted(used.values()) == [3, 5]
    assert DataKey.objects.aggregate(total=Sum("encryptions"))["total"] == data_keys.ENCRYPTIONS_A_KEY + 5
    assert DataKey.objects.filter(replaced_at=None).count() == 1
    assert open_data_key(old.id) == old.key


@pytest.mark.usefixtures("vault")
def test_replaced_key_still_opens() -> None:
    """K8: what it encrypted is read until it is encrypted anew; replacing it again changes nothing."""
    tenant = make_tenant()
    old = data_key_for(tenant.id, at=AT)
    replace_data_key(old.id, at=AT)
    replace_data_key(old.id, at=AT)
    new = data_key_for(tenant.id, at=AT)
    assert new.id != old.id
    assert DataKey.objects.filter(tenant=tenant).count() == 2
    forget_data_keys()
    assert open_data_key(old.id) == old.key


@pytest.mark.usefixtures("vault")
def test_destroyed_key_does_not_open() -> None:
    """K8: nor one that never was."""
    tenant = make_tenant()
    old = data_key_for(tenant.id, at=AT)
    replace_data_key(old.id, at=AT)
    DataKey.objects.filter(id=old.id).update(wrapped=b"", destroyed_at=AT)
    forget_data_keys()
    with pytest.raises(Unreadable):
        open_data_key(old.id)
    with pytest.raises(Unreadable):
        open_data_key(tenant.id)


def test_memory_is_bounded_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """K1: an unwrapped key is remembered for a minute at most, and not without end."""
    memory = data_keys._Memory()
    monkeypatch.setattr(memory, "size", 2)
    ids = [uuid4() for _ in range(3)]
    for number in ids:
        memory.put(number, number.bytes)
    assert [memory.get(number) for number in ids] == [None, ids[1].bytes, ids[2].bytes]
    monkeypatch.setattr(memory, "seconds", 0.0)
    memory.put(ids[2], b"late")
    assert memory.get(ids[2]) is None
