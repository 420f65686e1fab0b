from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from tenants.services.record_audit import Actor
from vault.checking import check_key, tidy_key
from vault.crypto.secret import Secret
from vault.errors import CredentialExists
from vault.inputs import base_url_for, check_expiry, check_name, check_weight
from vault.models import Credential
from vault.providers import Provider, Verdict, provider_of
from vault.queries import keys_of
from vault.records import audit_key
from vault.services.set_health import apply_verdict
from vault.versions import Stored, accepted, unheard, unwrap_data_key, write_version

_NAMES_TRIED = 100  # somebody else was faster each time: as many as ever add keys at once
_ONCE = "credential_name_once"


def add_credential(
    *,
    tenant_id: UUID | None,
    provider: str,
    name: str,
    plain: Secret,
    base_url: str = "",
    expires_at: datetime | None = None,
    weight: int = 1,
    actor: Actor,
    at: datetime,
    stored: Stored = unheard,
) -> Credential:
    """Keep a key that its provider accepts (K2); without a tenant, one of the platform (K12). No transaction may be
    open; `stored` is told of the key in the one that stores it.

    An empty name becomes the provider's, with a number where that is taken. Raises UnknownProvider, InvalidValue,
    AddressNotAllowed, CredentialExists, KeyRejected, ProviderUnreachable, VaultNotConfigured, KekUnavailable.
    """
    known, plain, name = provider_of(provider), tidy_key(plain), name.strip()
    check_name(name, plain)
    check_weight(weight)
    check_expiry(expires_at, at)
    base_url = base_url_for(known, base_url, plain, is_platform=tenant_id is None)
    if name and _names(tenant_id, provider).filter(name=name).exists():
        raise CredentialExists("The provider has a key of this name already.")
    verdict = accepted(check_key(provider=provider, plain=plain, base_url=base_url))
    key = Credential(
        tenant_id=tenant_id,
        provider=provider,
        name=name,
        base_url=base_url,
        expires_at=expires_at,
        weight=weight,
        created_by_id=actor.user_id,
        created_at=at,
        health_since=at,
    )
    unwrap_data_key(tenant_id)
    return _store_named(key, known, partial(_store, key, plain, verdict, actor=actor, at=at, stored=stored))


def _store_named(key: Credential, known: Provider, store: Callable[[], Credential]) -> Credential:
    """Under the given name, or the first free one of the provider's."""
    tries = 1 if key.name else _NAMES_TRIED
    is_default = not key.name
    for _ in range(tries):
        if is_default:
            key.name = _free_name(key.tenant_id, known)
        try:
            return store()
        except IntegrityError as error:
            if _ONCE not in str(error):
                raise
    raise CredentialExists("The provider has a key of this name already.")


@transaction.atomic
def _store(
    key: Credential, plain: Secret, verdict: Verdict, *, actor: Actor, at: datetime, stored: Stored
) -> Credential:
    key.save(force_insert=True)
    version = write_version(key=key, number=1, plain=plain, actor=actor, at=at)
    apply_verdict(key=key, verdict=verdict, at=at)
    audit_key(key=key, action="credential.added", last_four=version.last_four, actor=actor, at=at, health=key.health)
    stored(key)
    return key


def _free_name(tenant_id: UUID | None, provider: Provider) -> str:
    taken = set(_names(tenant_id, provider.id).values_list("name", flat=True))
    names = (provider.name if number == 1 else f"{provider.name} {number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _names(tenant_id: UUID | None, provider: str) -> QuerySet[Credential]:
    return keys_of(tenant_id).filter(provider=provider, revoked_at=None)
