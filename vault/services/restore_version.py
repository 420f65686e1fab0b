from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from tenants.services.record_audit import Actor
from vault.errors import NothingToRestore
from vault.locks import lock_credential
from vault.models import Credential, CredentialVersion, Health, HealthChange
from vault.records import audit_key
from vault.services.set_health import set_health
from vault.versions import replace_version, replaced_last, require_not_revoked


@transaction.atomic
def restore_version(*, tenant_id: UUID | None, credential_id: UUID, actor: Actor, at: datetime) -> Credential:
    """Go back to the text that was replaced last, while it is kept; the newer one is kept as long as usual (K8), so
    that going back can be taken back. Its known end is the key's again.

    What the old text is worth by now is checked at once, and not waited for. Raises Credential.DoesNotExist, NotUsable
    for a revoked key, NothingToRestore.
    """
    key = lock_credential(tenant_id, credential_id)
    require_not_revoked(key)
    version = replaced_last(key, at)
    if version is None:
        raise NothingToRestore
    CredentialVersion.objects.filter(id=version.id).update(overlap_ends_at=None, replaced_at=None, expires_at=None)
    overlap = timedelta(hours=settings.VAULT_OVERLAP_HOURS)
    replace_version(key=key, number=key.current_number, overlap=overlap, at=at)
    key.current_number, key.expires_at = version.number, version.expires_at
    key.failures, key.cools_until = 0, None
    source = HealthChange.Source.PERSON
    set_health(key=key, health=Health.UNVERIFIED, reason="", source=source, at=at)
    key.next_check_at = at
    key.save(update_fields=["next_check_at"])
    audit_key(
        key=key,
        action="credential.restored",
        last_four=version.last_four,
        actor=actor,
        at=at,
        number=version.number,
    )
    return key
