"""Where a workspace's money comes from and on which terms, remembered by each process.

Nothing here is trusted to be current: every decision carries the account's version number, and the database refuses it
when the account has changed since. The caller then forgets the account and prepares again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.subscriptions.models import WorkspaceBilling
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms

_MOST = 50_000  # entries; a process that serves more starts over


@dataclass(frozen=True, slots=True)
class Placement:
    """A workspace and the account that pays for it."""

    workspace_id: UUID
    account_id: UUID


_placements: dict[tuple[UUID, str], Placement] = {}
_terms: dict[UUID, AccountTerms] = {}


def place(*, tenant_id: UUID, workspace: str) -> Placement | None:
    """The workspace of the tenant with this slug or id, and its account; None if the tenant has no such workspace."""
    known = _placements.get((tenant_id, workspace))
    if known is None:
        known = _look_up(tenant_id, workspace)
        if known is not None:
            if len(_placements) >= _MOST:
                _placements.clear()
            _placements[tenant_id, workspace] = known
    return known


def _look_up(tenant_id: UUID, workspace: str) -> Placement | None:
    links = WorkspaceBilling.objects.filter(tenant_id=tenant_id)
    row = links.filter(workspace__slug=workspace).values_list("workspace_id", "account_id").first()
    if row is None:
        try:
            as_id = UUID(workspace)
        except ValueError:
            return None
        row = links.filter(workspace_id=as_id).values_list("workspace_id", "account_id").first()
    return Placement(*row) if row is not None else None


def terms_at(account_id: UUID, at: datetime) -> AccountTerms:
    """The account's terms; raises NoActivePlan."""
    known = _terms.get(account_id)
    if known is None or (known.valid_until is not None and known.valid_until <= at):
        known = terms_of(account_id, at)
        if len(_terms) >= _MOST:
            _terms.clear()
        _terms[account_id] = known
    return known


def forget(account_id: UUID) -> None:
    """The account has changed: read its terms and its workspaces again."""
    _terms.pop(account_id, None)
    for key in [key for key, placement in _placements.items() if placement.account_id == account_id]:
        _placements.pop(key, None)


def forget_everything() -> None:
    """Start over, as a new process would."""
    _terms.clear()
    _placements.clear()
