from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.attach_workspace import attach_workspace
from tenants.models import Workspace
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def open_workspace(
    *,
    account_id: UUID,
    name: str,
    slug: str,
    at: datetime,
    actor: Actor,
    environment: Workspace.Environment = Workspace.Environment.PRODUCTION,
) -> Workspace:
    """A new workspace of the account's tenant, which the account pays for.

    Raises ValidationError for a slug that the tenant has already, or that is none.
    """
    account = BillingAccount.objects.get(id=account_id)
    workspace = Workspace(tenant_id=account.tenant_id, name=name, slug=slug, environment=environment, created_at=at)
    workspace.full_clean()
    workspace.save(force_insert=True)
    attach_workspace(workspace_id=workspace.id, account_id=account_id)
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="workspace.opened",
        target=slug,
        at=at,
        detail={"account": encode_id("acc", account_id), "environment": environment},
    )
    return workspace
