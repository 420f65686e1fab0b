"""A key's own page: how it does, its versions, where it is used, and who used it when (K8, K9, K10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.key_forms import KeySettingsForm, RotateForm
from billing.console.key_texts import state_name
from billing.console.pages.keys.assigned import AssignedLine, assigned_lines, lines_of
from billing.console.pages.keys.cards import KeyCard, key_card
from billing.console.pages.keys.overview import vault_is_ready
from billing.console.pages.keys.places import SEPARATOR
from billing.core.ids import encode_id
from tenants.models import Tenant
from vault.models import Credential, CredentialAccess, CredentialVersion, HealthChange
from vault.providers import PROVIDERS
from vault.providers.base import Provider
from vault.queries import KeySummary, accesses_of

USES, CHANGES, VERSIONS = 20, 10, 10
_SOURCES = {"check": "By a check", "run": "By a run", "person": "By hand"}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of a key's health."""

    at: datetime
    state: str
    state_name: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A text that the key had. `state` is current, kept (until `until`) or erased."""

    number: int
    last_four: str
    created_at: datetime
    state: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class UseRow:
    """Once that the key left the vault. `run` is the public id of the authorization, `by` who asked."""

    at: datetime
    purpose: str
    place: str
    model: str
    number: int
    run: str
    by: str
    is_unreadable: bool


@dataclass(frozen=True, slots=True)
class UsesSlice:
    """Uses, newest first, and the address of the next ones; empty at the end."""

    uses: Sequence[UseRow]
    next_url: str


@dataclass(frozen=True, slots=True)
class KeyPage:
    """`opened` names the form that was refused, which the page shows open."""

    card: KeyCard
    provider: Provider | None
    created_at: datetime
    next_check_at: datetime | None
    changes: Sequence[ChangeRow]
    versions: Sequence[VersionRow]
    used_for: Sequence[AssignedLine]
    uses: Sequence[UseRow]
    next_url: str
    settings: KeySettingsForm
    rotation: RotateForm | None
    is_ready: bool
    opened: str


def key_page(
    tenant: Tenant,
    summary: KeySummary,
    *,
    settings: KeySettingsForm | None = None,
    rotation: RotateForm | None = None,
    opened: str = "",
) -> KeyPage:
    """A found key with its past; the forms are fresh ones unless one was refused."""
    key, card = summary.credential, key_card(summary)
    provider = PROVIDERS.get(key.provider)
    slice_ = uses_of(tenant, key.id)
    if rotation is None and provider is not None:
        rotation = RotateForm(provider=provider, tenant=tenant)
    return KeyPage(
        card=card,
        provider=provider,
        created_at=key.created_at,
        next_check_at=key.next_check_at,
        changes=_changes(key),
        versions=_versions(key),
        used_for=lines_of(assigned_lines(tenant), key.id),
        uses=slice_.uses,
        next_url=slice_.next_url,
        settings=settings or KeySettingsForm(tenant=tenant, name=key.name, expires_at=key.expires_at),
        rotation=rotation,
        is_ready=vault_is_ready(),
        opened=opened,
    )


def uses_of(tenant: Tenant, credential_id: UUID, *, before: UUID | None = None) -> UsesSlice:
    """The newest uses of a key, or those before one; one query."""
    rows = accesses_of(tenant.id, credential_id=credential_id, limit=USES + 1, before=before)
    shown = rows[:USES]
    url = ""
    if len(rows) > USES:
        url = f"{reverse('console:key_uses', args=[credential_id])}?{urlencode({'before': shown[-1].id.hex})}"
    return UsesSlice([_use(row) for row in shown], url)


def _changes(key: Credential) -> list[ChangeRow]:
    rows = HealthChange.objects.filter(credential=key)[:CHANGES]
    return [ChangeRow(row.at, row.after, state_name(row.after), row.reason, _SOURCES[row.source]) for row in rows]


def _versions(key: Credential) -> list[VersionRow]:
    rows = CredentialVersion.objects.filter(credential=key).defer("ciphertext").order_by("-number")[:VERSIONS]
    return [_version(row, key) for row in rows]


def _version(row: CredentialVersion, key: Credential) -> VersionRow:
    state = "current" if row.number == key.current_number else "kept"
    if row.revoked_at is not None:
        state = "erased"
    until = row.overlap_ends_at if state == "kept" else row.revoked_at
    return VersionRow(row.number, row.last_four, row.created_at, state, until)


def _use(row: CredentialAccess) -> UseRow:
    names = [row.workspace.name if row.workspace is not None else "", row.office, row.agent]
    by = row.actor_key.name if row.actor_key is not None else row.actor_user.email if row.actor_user is not None else ""
    return UseRow(
        at=row.at,
        purpose=row.purpose,
        place=SEPARATOR.join(name for name in names if name),
        model=row.model,
        number=row.number,
        run=encode_id("auth", row.run_id) if row.run_id is not None else "",
        by=by,
        is_unreadable=row.outcome == CredentialAccess.Outcome.UNREADABLE,
    )
