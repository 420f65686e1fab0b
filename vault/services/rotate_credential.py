from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from tenants.services.record_audit import Actor
from vault.checking import check_key, tidy_key
from vault.crypto.secret import Secret
from vault.errors import ChangedMeanwhile
from vault.inputs import check_overlap
from vault.locks import lock_credential
from vault.models import Credential, CredentialVersion
from vault.providers import Verdict
from vault.queries import keys_of
from vault.records import audit_key
from vault.services.set_health import apply_verdict
from vault.versions import (
    Stored,
    accepted,
    replace_version,
    require_not_revoked,
    require_unnamed,
    unheard,
    unwrap_data_key,
    write_version,
)


def rotate_credential(
    *,
    tenant_id: UUID | None,
    credential_id: UUID,
    plain: Secret,
    overlap: timedelta | None,
    actor: Actor,
    at: datetime,
    stored: Stored = unheard,
) -> Credential:
    """Put a new text in the place of a key's current one, once its provider accepts it (K8). No transaction may be
    open; `stored` is told of the key in the one that stores it.

    The old text is kept for `overlap` to go back to (None: the usual time; zero: erased at once). When the provider
    ends the new text is not known, so that a known end is forgotten. Raises Credential.DoesNotExist, NotUsable for a
    revoked key, InvalidValue, KeyRejected, ProviderUnreachable, VaultNotConfigured, KekUnavailable, and
    ChangedMeanwhile where somebody else was faster.
    """
    overlap = timedelta(hours=settings.VAULT_OVERLAP_HOURS) if overlap is None else overlap
    check_overlap(overlap)
    plain = tidy_key(plain)
    seen = keys_of(tenant_id).get(id=credential_id)
    require_not_revoked(seen)
    require_unnamed(seen, plain)
    verdict = accepted(check_key(provider=seen.provider, plain=plain, base_url=seen.base_url))
    unwrap_data_key(tenant_id)
    with transaction.atomic():
        key = _swap(seen, plain, verdict, overlap=overlap, actor=actor, at=at)
        stored(key)
    return key


def _swap(
    seen: Credential, plain: Secret, verdict: Verdict, *, overlap: timedelta, actor: Actor, at: datetime
) -> Credential:
    key = lock_credential(seen.tenant_id, seen.id)
    if key.current_number != seen.current_number or key.revoked_at is not None:
        raise ChangedMeanwhile
    require_unnamed(key, plain)  # it may be called so since
    newest = CredentialVersion.objects.filter(credential=key).aggregate(newest=Max("number"))["newest"] or 0
    replaced, number = key.current_number, max(newest, key.current_number) + 1
    version = write_version(key=key, number=number, plain=plain, actor=actor, at=at)
    replace_version(key=key, number=replaced, overlap=overlap, at=at)
    key.current_number, key.expires_at = number, None
    key.failures, key.cools_until = 0, None
    apply_verdict(key=key, verdict=verdict, at=at)
    audit_key(
        key=key,
        action="credential.rotated",
        last_four=version.last_four,
        actor=actor,
        at=at,
        number=number,
        overlap_hours=overlap / timedelta(hours=1),
    )
    return key
