from uuid import UUID

from django.db import transaction

from billing.subscriptions.models import BillingAccount, WorkspaceBilling
from tenants.models import Workspace


@transaction.atomic
def attach_workspace(*, workspace_id: UUID, account_id: UUID) -> WorkspaceBilling:
    """Let an account pay for a workspace of its tenant from now on.

    Raises DoesNotExist for a workspace of another tenant than the account's.
    """
    account = BillingAccount.objects.get(id=account_id)
    workspace = Workspace.objects.get(id=workspace_id, tenant_id=account.tenant_id)
    link, _ = WorkspaceBilling.objects.update_or_create(
        workspace=workspace, defaults={"account": account, "tenant_id": account.tenant_id}
    )
    return link
