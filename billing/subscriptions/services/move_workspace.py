from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.subscriptions.models import WorkspaceBilling
from billing.subscriptions.services.attach_workspace import attach_workspace
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def move_workspace(*, workspace_id: UUID, account_id: UUID, at: datetime, actor: Actor) -> WorkspaceBilling:
    """Let another account of the tenant pay for a workspace from now on (P11).

    Raises DoesNotExist for a workspace of another tenant than the account's.
    """
    link = attach_workspace(workspace_id=workspace_id, account_id=account_id)
    record_audit(
        tenant_id=link.tenant_id,
        actor=actor,
        action="workspace.moved",
        target=link.workspace.slug,
        at=at,
        detail={"account": encode_id("acc", account_id)},
    )
    return link
