from datetime import datetime
from uuid import UUID

from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount, WorkspaceBilling
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms


def lock_account_of(workspace_id: UUID, at: datetime) -> AccountTerms:
    """Lock the account that pays for a workspace until the transaction ends, and read its terms at `at`.

    What is counted for the account afterwards is counted by one transaction at a time. The workspace's link is locked
    before the account, in the order in which attaching a workspace takes both. Raises NoActivePlan.
    """
    link = WorkspaceBilling.objects.select_for_update(no_key=True).filter(workspace_id=workspace_id).first()
    if link is None:
        raise NoActivePlan(f"No account pays for the workspace {workspace_id}.")
    BillingAccount.objects.select_for_update(no_key=True).get(id=link.account_id)
    return terms_of(link.account_id, at)
