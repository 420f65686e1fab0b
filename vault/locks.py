"""Row locks of the vault: the tenant's before a credential's, a credential's before its versions."""

from uuid import UUID

from tenants.models import Tenant
from vault.models import Credential
from vault.queries import keys_of


def lock_choices(tenant_id: UUID) -> None:
    """Let one transaction at a time change what the tenant assigned or chose: their rows have no order of their own."""
    Tenant.objects.select_for_update(no_key=True).get(id=tenant_id)


def lock_credential(tenant_id: UUID | None, credential_id: UUID) -> Credential:
    """The tenant's key, or the platform's, unchanged until the transaction ends. Raises Credential.DoesNotExist."""
    return keys_of(tenant_id).select_for_update(no_key=True).get(id=credential_id)
