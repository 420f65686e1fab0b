"""From names in a request to what they stand for, never outside of what the key may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from billing.core.ids import InvalidId, decode_id
from billing.core.problems import Problem, problem
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import account_of_workspace, default_account
from tenants.models import Workspace
from tenants.queries import Caller, find_workspace


@dataclass(frozen=True, slots=True)
class Billed:
    """An account, and the one workspace of it that the answer is narrowed to, if any."""

    account: BillingAccount
    workspace_id: UUID | None


def workspace_named(caller: Caller, name: str) -> Workspace:
    """The workspace with this slug or id. Raises the problem not-found where the key sees none."""
    workspace = None if "\x00" in name else find_workspace(caller, name)
    if workspace is None:
        raise problem("not-found", "There is no such workspace.")
    return workspace


def billed_workspace(caller: Caller, name: str) -> Billed:
    """The named workspace's account. Raises the problem not-found, and NoActivePlan where nobody pays for it."""
    return _billed(workspace_named(caller, name).id)


def billed_by(caller: Caller, workspace: str | None) -> Billed:
    """The account of the named workspace, else of the key's workspace, else the tenant's default account.

    Raises the problem not-found, and NoActivePlan where there is no account.
    """
    if workspace is not None:
        return billed_workspace(caller, workspace)
    if caller.workspace_id is not None:
        return _billed(caller.workspace_id)
    try:
        return Billed(default_account(caller.tenant_id), None)
    except BillingAccount.DoesNotExist:
        raise NoActivePlan("The tenant has no default account.") from None


def payer_of(workspace_id: UUID) -> BillingAccount:
    """The account that pays for a workspace. Raises NoActivePlan where none does."""
    try:
        return account_of_workspace(workspace_id)
    except BillingAccount.DoesNotExist:
        raise NoActivePlan("No account pays for the workspace.") from None


def _billed(workspace_id: UUID) -> Billed:
    return Billed(payer_of(workspace_id), workspace_id)


def id_named(prefix: str, text: str) -> UUID:
    """The id in an address. Raises the problem not-found for everything that is none."""
    try:
        return decode_id(prefix, text)
    except InvalidId:
        raise nothing_here() from None


def nothing_here() -> Problem:
    """What an unknown object and a foreign one answer alike."""
    return problem("not-found", "There is nothing at this address.")


def workspace_slugs(workspace_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The slugs of workspaces, in one query."""
    return dict(Workspace.objects.filter(id__in=set(workspace_ids)).values_list("id", "slug"))
