from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.services.record_audit import Actor
from vault.locks import lock_credential
from vault.models import Credential
from vault.platform_keys import forget_platform_keys
from vault.providers import Verdict
from vault.queries import keys_of
from vault.services.ask_provider import ask_provider
from vault.services.set_health import apply_verdict
from vault.versions import require_not_revoked


def validate_credential(*, tenant_id: UUID | None, credential_id: UUID, actor: Actor, at: datetime) -> Credential:
    """Ask the provider about a key now, and write down what it says (K9). No transaction may be open.

    A platform key that rests is used again if it is valid. Raises Credential.DoesNotExist, NotUsable for a revoked key,
    KekUnavailable, VaultNotConfigured.
    """
    key = keys_of(tenant_id).get(id=credential_id)
    require_not_revoked(key)
    verdict = ask_provider(key=key, actor=actor, at=at)
    return apply_if_unchanged(seen=key, verdict=verdict, at=at, is_asked=True)


@transaction.atomic
def apply_if_unchanged(*, seen: Credential, verdict: Verdict, at: datetime, is_asked: bool = False) -> Credential:
    """Write down a verdict unless the key was rotated or revoked while its provider was asked."""
    key = lock_credential(seen.tenant_id, seen.id)
    if key.current_number == seen.current_number and key.revoked_at is None:
        apply_verdict(key=key, verdict=verdict, at=at, is_asked=is_asked)
        transaction.on_commit(forget_platform_keys)
    return key
