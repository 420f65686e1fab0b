from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from tenants.services.record_audit import Actor
from vault.crypto.secret import Secret
from vault.errors import NotUsable, Unreadable
from vault.health import UNREADABLE
from vault.locks import lock_credential
from vault.models import BROKEN, Credential, CredentialAccess, CredentialVersion, Health, HealthChange
from vault.platform_keys import choose_platform_key_afresh
from vault.providers import base_url_of, provider_of
from vault.queries import keys_of
from vault.records import note_access
from vault.services.set_health import set_health
from vault.versions import end_of, unseal_current

_ATTEMPTS = 5  # each time that the key is rotated, or its data key, between reading and handing out


@dataclass(frozen=True, slots=True)
class RunToHandOut:
    """A run that was authorized, and the key that was pinned for it; `credential_source` is `byok` or `platform`."""

    run_id: UUID
    tenant_id: UUID
    workspace_id: UUID
    office: str
    agent: str
    provider: str
    model: str
    credential_source: str
    credential_id: UUID | None

    @property
    def owner_id(self) -> UUID | None:
        """Whose key the run is on: the tenant's, or nobody's, which is the platform's."""
        return self.tenant_id if self.credential_source == "byok" else None


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A key in plain text for one run, with the only address that it may be sent to."""

    credential_id: UUID
    number: int
    provider: str
    base_url: str
    secret: Secret
    last_four: str


def hand_out(*, run: RunToHandOut, actor: Actor, at: datetime) -> HandedOut:
    """The text of a run's key, for the platform's runtime alone; written down before it is given (K5).

    What is given is what the database says now: a key that was revoked, disabled or broken meanwhile is not. A run on
    a platform key that rests by now gets another one; a run on the tenant's own key never gets the platform's (K6).
    No transaction may be open: a refusal is kept, too. Raises NotUsable, AllKeysRest, Unreadable, KekUnavailable,
    VaultNotConfigured.
    """
    for _ in range(_ATTEMPTS):
        key = _own_key(run) if run.credential_source == "byok" else _platform_key(run, at)
        version = CredentialVersion.objects.filter(credential=key, number=key.current_number).first()
        try:
            plain = unseal_current(key, version, tenant_id=run.owner_id)
        except Unreadable:
            if _is_as_read(key, version):
                _note_unreadable(run, key, actor, at)
                raise
            continue
        if _grant(run, key, actor, at):
            return HandedOut(
                credential_id=key.id,
                number=key.current_number,
                provider=key.provider,
                base_url=base_url_of(provider_of(key.provider), key.base_url),
                secret=plain,
                last_four=end_of(plain),
            )
    raise NotUsable("changed", "The key is being changed just now; try again.")


def _own_key(run: RunToHandOut) -> Credential:
    key = _pinned(run)
    if key is None:
        raise NotUsable("missing", "The key that the run was authorized on is not there.")
    _check_usable(key)
    return key


def _pinned(run: RunToHandOut) -> Credential | None:
    return keys_of(run.owner_id).filter(Q(id=run.credential_id), provider=run.provider).first()


def _platform_key(run: RunToHandOut, at: datetime) -> Credential:
    """The pinned one, or another where that cannot be used now. It never goes to an address of a tenant's."""
    key = _pinned(run)
    if key is None or _trouble(key) is not None or (key.cools_until is not None and key.cools_until > at):
        chosen = choose_platform_key_afresh(run.provider, at=at)
        if chosen is None:
            raise NotUsable("not-in-vault", "The vault keeps no platform key for this provider.")
        key = Credential.objects.get(tenant=None, id=chosen.id)
    return key


def _trouble(key: Credential) -> str | None:
    """Why the key cannot be used, in the words of vault.resolution."""
    if key.disabled_at is not None and key.revoked_at is None:
        return "disabled"
    return key.health if key.health in BROKEN else None


def _check_usable(key: Credential) -> None:
    trouble = _trouble(key)
    if trouble is not None:
        raise NotUsable(trouble, f"The key “{key.name}” is {trouble.replace('_', ' ')}.")


def _is_as_read(key: Credential, version: CredentialVersion | None) -> bool:
    """Whether the rows are still those that did not decrypt: while keys rotate, the text may have moved under another
    data key, or the use to another version."""
    now = CredentialVersion.objects.filter(credential=key, number=F("credential__current_number"))
    found = now.values_list("number", "data_key_id").first()
    return found == ((key.current_number, version.data_key_id) if version is not None else None)


@transaction.atomic
def _grant(run: RunToHandOut, key: Credential, actor: Actor, at: datetime) -> bool:
    """Write down that the text is given, if the key is still what was read; a revocation waits until that is done."""
    now = Credential.objects.raw("SELECT * FROM vault_credential WHERE id = %s FOR SHARE", [key.id])[0]
    if now.tenant_id is not None:
        _check_usable(now)
    if _trouble(now) is not None or now.current_number != key.current_number:
        return False
    _note(run, now, CredentialAccess.Outcome.GRANTED, actor, at)
    return True


@transaction.atomic
def _note_unreadable(run: RunToHandOut, key: Credential, actor: Actor, at: datetime) -> None:
    """Nobody else need try: the key is broken until its owner gives it a new text (K6)."""
    now = lock_credential(key.tenant_id, key.id)
    _note(run, now, CredentialAccess.Outcome.UNREADABLE, actor, at)
    if now.current_number == key.current_number and now.health not in BROKEN:
        source = HealthChange.Source.RUN
        set_health(key=now, health=Health.INVALID, reason=UNREADABLE, source=source, at=at)


def _note(run: RunToHandOut, key: Credential, outcome: CredentialAccess.Outcome, actor: Actor, at: datetime) -> None:
    note_access(
        key=key,
        number=key.current_number,
        outcome=outcome,
        actor=actor,
        at=at,
        purpose=CredentialAccess.Purpose.RUN,
        tenant_id=run.tenant_id,
        run_id=run.run_id,
        workspace_id=run.workspace_id,
        office=run.office,
        agent=run.agent,
        model=run.model,
    )
