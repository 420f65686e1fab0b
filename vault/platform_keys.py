"""Which of the platform's own keys a run gets: by weight, of those that neither rest nor are broken (K12)."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple
from uuid import UUID

from vault.errors import AllKeysRest
from vault.models import BROKEN, Credential

_SECONDS = 0.5  # how long a process goes by what it read
_UNKNOWN_REST = timedelta(minutes=1)  # of keys that staff have disabled


class PlatformKey(NamedTuple):
    """A key of the platform, and the version in use."""

    id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class _Known:
    key: PlatformKey
    weight: int
    is_broken: bool
    is_disabled: bool
    cools_until: datetime | None
    next_check_at: datetime | None

    def rests_until(self, at: datetime) -> datetime | None:
        """When the key may work again; None where it does now."""
        if self.is_disabled:
            return at + _UNKNOWN_REST
        if self.is_broken:
            return max(self.next_check_at or at, at)
        return self.cools_until if self.cools_until is not None and self.cools_until > at else None


_memory: dict[str, tuple[float, list[_Known]]] = {}


def forget_platform_keys() -> None:
    """Read them again when the next run asks."""
    _memory.clear()


def choose_platform_key(
    provider: str, *, at: datetime, draw: Callable[[int], int] = secrets.randbelow
) -> PlatformKey | None:
    """A key for a run, each as often as its weight; `draw` gives a number from 0 to below its argument.

    None where the vault keeps no platform key for the provider: the platform's runtime has its own. Raises AllKeysRest
    where it keeps some, and all rest, are broken or disabled.
    """
    kept_until, known = _memory.get(provider, (0.0, []))
    if kept_until <= time.monotonic():
        known = list(_read(provider))
        _memory[provider] = time.monotonic() + _SECONDS, known
    return _chosen(known, at, draw)


def choose_platform_key_afresh(provider: str, *, at: datetime) -> PlatformKey | None:
    """The same by what the database says now: for a run whose key was found at rest."""
    return _chosen(list(_read(provider)), at, secrets.randbelow)


def _chosen(known: list[_Known], at: datetime, draw: Callable[[int], int]) -> PlatformKey | None:
    if not known:
        return None
    awake = [one for one in known if one.rests_until(at) is None]
    if not awake:
        earliest = min(until for one in known if (until := one.rests_until(at)) is not None)
        raise AllKeysRest(retry_after=max(1, ceil((earliest - at).total_seconds())))
    drawn = draw(sum(one.weight for one in awake))
    for one in awake:
        drawn -= one.weight
        if drawn < 0:
            return one.key
    return awake[-1].key


def _read(provider: str) -> Iterator[_Known]:
    keys = Credential.objects.filter(tenant=None, provider=provider, revoked_at=None).order_by("id")
    for key in keys:
        yield _Known(
            key=PlatformKey(key.id, key.current_number),
            weight=key.weight,
            is_broken=key.health in BROKEN,
            is_disabled=key.disabled_at is not None,
            cools_until=key.cools_until,
            next_check_at=key.next_check_at,
        )
