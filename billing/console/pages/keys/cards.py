"""A key as the pages show it: what it is called, how it does, and what to do about it. Never its text (K2)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.console.key_texts import DISABLED, advice_on, state_name
from vault.models import BROKEN, Credential, Health
from vault.providers import PROVIDERS
from vault.queries import KeySummary


@dataclass(frozen=True, slots=True)
class PreviousVersion:
    """A replaced text that can be gone back to until `until`."""

    number: int
    last_four: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class KeyCard:
    """`state` is the key's health, or `disabled`; `reason` our words on it, since `since`.

    `is_broken` tells whether runs that are assigned to it stop.
    """

    id: UUID
    provider: str
    provider_name: str
    name: str
    last_four: str
    number: int
    base_url: str
    state: str
    state_name: str
    reason: str
    advice: str
    since: datetime
    checked_at: datetime | None
    expires_at: datetime | None
    previous: PreviousVersion | None

    @property
    def is_broken(self) -> bool:
        return self.state == DISABLED or self.state in BROKEN

    @property
    def is_revoked(self) -> bool:
        return self.state == Health.REVOKED

    @property
    def is_disabled(self) -> bool:
        return self.state == DISABLED


def provider_name(provider: str) -> str:
    """What people call a provider; its id where the registry does not know it any more."""
    known = PROVIDERS.get(provider)
    return known.name if known is not None else provider


def key_card(summary: KeySummary) -> KeyCard:
    """No query."""
    key = summary.credential
    state = _state(key)
    return KeyCard(
        id=key.id,
        provider=key.provider,
        provider_name=provider_name(key.provider),
        name=key.name,
        last_four=summary.last_four,
        number=key.current_number,
        base_url=key.base_url,
        state=state,
        state_name=state_name(state),
        reason="" if state == DISABLED else key.health_reason,
        advice=advice_on(state),
        since=key.disabled_at if state == DISABLED and key.disabled_at is not None else key.health_since,
        checked_at=key.checked_at,
        expires_at=key.expires_at,
        previous=_previous(summary),
    )


def _state(key: Credential) -> str:
    """Revoked is for good; a key that is disabled says so before anything else of its health matters."""
    if key.health != Health.REVOKED and key.disabled_at is not None:
        return DISABLED
    return key.health


def _previous(summary: KeySummary) -> PreviousVersion | None:
    version = summary.previous
    if version is None:
        return None
    return PreviousVersion(version.number, version.last_four, version.overlap_ends_at)
