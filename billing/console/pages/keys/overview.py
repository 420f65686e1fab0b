"""The provider keys page: the switch, what happens without a usable key, and the keys by provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from billing.console.pages.keys.assigned import AssignedLine, assigned_lines, lines_of
from billing.console.pages.keys.cards import KeyCard, key_card
from billing.console.pages.keys.own_keys import OwnKeysPanel, own_keys_panel
from billing.core.problems import Problem
from billing.subscriptions.models import BillingAccount
from vault.models import Health, KeyEncryptionKey
from vault.queries import credentials_of, policy_of
from vault.resolution import FALLBACK, STRICT


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key with where it is used."""

    card: KeyCard
    used_for: Sequence[AssignedLine]


@dataclass(frozen=True, slots=True)
class ProviderGroup:
    """The keys of one provider."""

    name: str
    entries: Sequence[KeyEntry]


@dataclass(frozen=True, slots=True)
class KeysPage:
    """`broken` are keys that stop runs where they are assigned, `expiring` those that soon will; `gone` revoked ones
    that nothing names any more. `is_ready` tells whether the vault can take keys. `own_keys` is None without a plan."""

    own_keys: OwnKeysPanel | None
    policy: str
    is_policy_fixed: bool
    groups: Sequence[ProviderGroup]
    broken: Sequence[KeyEntry]
    expiring: Sequence[KeyEntry]
    gone: Sequence[KeyEntry]
    is_ready: bool
    problem: Problem | None = None

    @property
    def has_keys(self) -> bool:
        return bool(self.groups or self.gone)


def keys_page(account: BillingAccount, at: datetime, *, problem: Problem | None = None) -> KeysPage:
    """The tenant's keys as its account uses them; the same queries for any number of keys."""
    entries = _entries(account)
    own_keys = own_keys_panel(account, at)
    is_only = own_keys is not None and own_keys.rules.byok_only
    present = [entry for entry in entries if not entry.card.is_revoked]
    return KeysPage(
        own_keys=own_keys,
        policy=STRICT if is_only else policy_of(account.tenant_id) or FALLBACK,
        is_policy_fixed=is_only,
        groups=_groups(present),
        broken=[entry for entry in entries if _needs_help(entry)],
        expiring=[entry for entry in present if entry.card.state == Health.EXPIRING],
        gone=[entry for entry in entries if entry.card.is_revoked and not entry.used_for],
        is_ready=vault_is_ready(),
        problem=problem,
    )


def vault_is_ready() -> bool:
    """Whether there is a key-encryption key to encrypt keys under; one query."""
    return KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).exists()


def _entries(account: BillingAccount) -> list[KeyEntry]:
    lines = assigned_lines(account.tenant)
    cards = [key_card(summary) for summary in credentials_of(account.tenant_id, with_revoked=True)]
    cards.sort(key=lambda card: (card.provider_name.casefold(), card.name.casefold()))
    return [KeyEntry(card, lines_of(lines, card.id)) for card in cards]


def _groups(entries: Sequence[KeyEntry]) -> list[ProviderGroup]:
    by_provider = groupby(entries, key=lambda entry: entry.card.provider_name)
    return [ProviderGroup(name, list(group)) for name, group in by_provider]


def _needs_help(entry: KeyEntry) -> bool:
    """A key that somebody disabled or revoked is no news, unless runs are still sent to it."""
    on_purpose = entry.card.is_disabled or entry.card.is_revoked
    return entry.card.is_broken and (bool(entry.used_for) or not on_purpose)
