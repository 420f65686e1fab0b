from datetime import datetime
from types import EllipsisType
from uuid import UUID

from django.db import IntegrityError, transaction

from tenants.services.record_audit import Actor
from vault.errors import CredentialExists, InvalidValue
from vault.health import EXPIRED
from vault.inputs import check_expiry, check_weight
from vault.locks import lock_credential
from vault.models import Credential, Health, HealthChange
from vault.platform_keys import forget_platform_keys
from vault.queries import keys_of
from vault.records import audit_key
from vault.services.set_health import set_health
from vault.versions import check_name_beside, last_four_of, require_not_revoked


def change_credential(
    *,
    tenant_id: UUID | None,
    credential_id: UUID,
    name: str | None = None,
    disabled: bool | None = None,
    expires_at: datetime | EllipsisType | None = ...,
    weight: int | None = None,
    actor: Actor,
    at: datetime,
) -> Credential:
    """Change what is said of a key; what is not given stays. A disabled key is handed out to nobody, and stops the
    search for a key (K4).

    Raises Credential.DoesNotExist, InvalidValue, CredentialExists, NotUsable for a revoked key; for a new name also
    KekUnavailable, VaultNotConfigured.
    """
    if name is not None and not name.strip():
        raise InvalidValue("name", "Give the key a name.")
    if name is not None:
        _look_before_locking(tenant_id, credential_id, name.strip())
    try:
        with transaction.atomic():
            key = lock_credential(tenant_id, credential_id)
            require_not_revoked(key)
            change = _Change(tenant_id, key, actor, at)
            change.describe(name.strip() if name is not None else key.name, key.weight if weight is None else weight)
            if not isinstance(expires_at, EllipsisType) and expires_at != key.expires_at:
                change.expire(expires_at)
            if disabled is not None and disabled != (key.disabled_at is not None):
                change.switch(disabled=disabled)
            transaction.on_commit(forget_platform_keys)
    except IntegrityError as error:
        if "credential_name_once" not in str(error):
            raise
        raise CredentialExists("The provider has a key of this name already.") from None
    return key


def _look_before_locking(tenant_id: UUID | None, credential_id: UUID, name: str) -> None:
    """Where a text has to be read, its data key is at hand before rows are locked: what unwraps it may be slow."""
    seen = keys_of(tenant_id).get(id=credential_id)
    if name != seen.name and seen.revoked_at is None:
        check_name_beside(seen, name, tenant_id=tenant_id)


class _Change:
    """One change of a locked key of the tenant's, with its lines of the audit log."""

    def __init__(self, tenant_id: UUID | None, key: Credential, actor: Actor, at: datetime) -> None:
        self.tenant_id, self.key, self.actor, self.at = tenant_id, key, actor, at

    def describe(self, name: str, weight: int) -> None:
        """Name and share."""
        key = self.key
        if (name, weight) == (key.name, key.weight):
            return
        if name != key.name:
            check_name_beside(key, name, tenant_id=self.tenant_id)
        check_weight(weight)
        before = {"name_before": key.name} if name != key.name else {"weight": weight}
        key.name, key.weight = name, weight
        key.save(update_fields=["name", "weight"])
        self._audit("credential.changed", **before)

    def expire(self, expires_at: datetime | None) -> None:
        """When the provider ends it. What was known only by the end that was given before is forgotten with it."""
        check_expiry(expires_at, self.at)
        key, health = self.key, Health(self.key.health)
        if health == Health.EXPIRING:
            health = Health.VALID
        elif key.health_reason == EXPIRED:
            health = Health.UNVERIFIED
        key.expires_at = expires_at
        reason = key.health_reason if health == key.health else ""
        set_health(key=key, health=health, reason=reason, source=HealthChange.Source.PERSON, at=self.at)
        if health == Health.UNVERIFIED:
            key.next_check_at = self.at
            key.save(update_fields=["next_check_at"])
        self._audit("credential.changed", expires_at=expires_at.isoformat() if expires_at is not None else None)

    def switch(self, *, disabled: bool) -> None:
        """Off, or on again, and then checked at once."""
        self.key.disabled_at = self.at if disabled else None
        self.key.next_check_at = self.key.next_check_at if disabled else self.at
        self.key.save(update_fields=["disabled_at", "next_check_at"])
        self._audit("credential.disabled" if disabled else "credential.enabled")

    def _audit(self, action: str, **detail: str | int | None) -> None:
        last_four = last_four_of(self.key)
        audit_key(key=self.key, action=action, last_four=last_four, actor=self.actor, at=self.at, **detail)
