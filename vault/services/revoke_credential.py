from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.services.record_audit import Actor
from vault.locks import lock_credential
from vault.models import Credential, CredentialVersion, Health, HealthChange
from vault.platform_keys import forget_platform_keys
from vault.records import audit_key
from vault.services.set_health import set_health
from vault.versions import erase_versions, last_four_of


@transaction.atomic
def revoke_credential(*, tenant_id: UUID | None, credential_id: UUID, actor: Actor, at: datetime) -> Credential:
    """Erase every text of a key for good; a second time changes nothing (K8).

    Its assignments stay, so that nothing moves to the platform's money by itself: they stop the search for a key (K4).
    Raises Credential.DoesNotExist.
    """
    key = lock_credential(tenant_id, credential_id)
    if key.revoked_at is not None:
        return key
    last_four = last_four_of(key)
    numbers = CredentialVersion.objects.filter(credential=key).values_list("number", flat=True)
    erase_versions(key=key, numbers=list(numbers), at=at)
    key.revoked_at, key.cools_until = at, None
    set_health(key=key, health=Health.REVOKED, reason="", source=HealthChange.Source.PERSON, at=at)
    audit_key(key=key, action="credential.revoked", last_four=last_four, actor=actor, at=at)
    transaction.on_commit(forget_platform_keys)
    return key
