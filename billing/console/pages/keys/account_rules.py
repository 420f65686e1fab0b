"""What the accounts that pay for a tenant's workspaces say of keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount, WorkspaceBilling
from billing.subscriptions.own_keys import key_rules
from billing.subscriptions.queries import terms_of
from vault.resolution import KeyRules

NO_PLAN = KeyRules(own_keys=True, byok_enabled=True, byok_only=False)
"""Of an account whose plan has ended: its runs are refused for that, whatever their keys."""


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Rules by workspace; `usual` are the open account's, for the tenant as a whole and for unpaid workspaces."""

    usual: KeyRules
    by_workspace: Mapping[UUID, KeyRules]

    def at(self, workspace_id: UUID | None) -> KeyRules:
        """For runs of a workspace."""
        return self.by_workspace.get(workspace_id, self.usual) if workspace_id is not None else self.usual


def tenant_rules(account: BillingAccount, at: datetime) -> TenantRules:
    """One query, and an account's terms for each account of the tenant that pays for a workspace."""
    links = dict(WorkspaceBilling.objects.filter(tenant_id=account.tenant_id).values_list("workspace_id", "account_id"))
    rules = {account_id: account_rules(account_id, at) for account_id in {account.id, *links.values()}}
    return TenantRules(rules[account.id], {workspace: rules[payer] for workspace, payer in links.items()})


def account_rules(account_id: UUID, at: datetime) -> KeyRules:
    """The account's own, as runs are decided by them."""
    try:
        return key_rules(terms_of(account_id, at))
    except NoActivePlan:
        return NO_PLAN
