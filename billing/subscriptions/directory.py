"""Where a workspace's money comes from, on which terms, and which keys it runs on, remembered by each process.

Nothing here is trusted to be current: every decision carries the account's version number, the lowest one of placement,
terms and keys, and the database refuses it when the account has changed since. The caller then forgets the account and
prepares again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from billing.subscriptions.models import BillingAccount, FormerAccount, WorkspaceBilling
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms
from vault.queries import key_ring
from vault.resolution import KeyRing

_FORMER = ArraySubquery(
    FormerAccount.objects.filter(workspace_id=OuterRef("workspace_id"))
    .exclude(account_id=OuterRef("account_id"))
    .values("account_id")
)
_MOST = 50_000  # entries; a process that serves more starts over


@dataclass(frozen=True, slots=True)
class Placement:
    """A workspace and the account that pays for it, as read at a version number of the account.

    `former` are the other accounts that it had: keys that it used under them stay known (U2). Almost always none.
    """

    workspace_id: UUID
    account_id: UUID
    version: int
    former: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownRing:
    """Which provider keys a tenant has assigned, as read after a version number of the account. No secret is in it."""

    ring: KeyRing
    version: int


_placements: dict[tuple[UUID, str], Placement] = {}
_terms: dict[UUID, AccountTerms] = {}
_rings: dict[UUID, KnownRing] = {}
# The highest version of an account that is known to be over. A floor, not a removal: what another thread read before
# a change and remembers only after it is passed over as well.
_outdated: dict[UUID, int] = {}


def place(*, tenant_id: UUID, workspace: str) -> Placement | None:
    """The workspace of the tenant with this slug or id, and its account; None if the tenant has no such workspace."""
    known = _placements.get((tenant_id, workspace))
    if known is None or _is_outdated(known.account_id, known.version):
        known = _look_up(tenant_id, workspace)
        if known is not None:
            if len(_placements) >= _MOST:
                _placements.clear()
            _placements[tenant_id, workspace] = known
    return known


def _look_up(tenant_id: UUID, workspace: str) -> Placement | None:
    links = WorkspaceBilling.objects.filter(tenant_id=tenant_id)
    columns = ("workspace_id", "account_id", "account__version", _FORMER)
    row = links.filter(workspace__slug=workspace).values_list(*columns).first()
    if row is None:
        try:
            as_id = UUID(workspace.removeprefix("ws_"))
        except ValueError:
            return None
        row = links.filter(workspace_id=as_id).values_list(*columns).first()
    if row is None:
        return None
    workspace_id, account_id, version, former = row
    return Placement(workspace_id, account_id, version, tuple(former))


def terms_at(account_id: UUID, at: datetime) -> AccountTerms:
    """The account's terms; raises NoActivePlan."""
    known = _terms.get(account_id)
    if known is None or _is_outdated(account_id, known.version) or not known.covers(at):
        known = terms_of(account_id, at)
        if len(_terms) >= _MOST:
            _terms.clear()
        _terms[account_id] = known
    return known


def keys_of(terms: AccountTerms) -> KnownRing:
    """The provider keys that the account's tenant has assigned (K4).

    Read after the terms' version number: whatever changes in between raises it, and the decision that carries the
    older number is refused. An assignment, a policy, a key's usability raise the number of all accounts of a tenant.
    """
    known = _rings.get(terms.account_id)
    if known is None or _is_outdated(terms.account_id, known.version):
        known = KnownRing(key_ring(terms.tenant_id), terms.version)
        if len(_rings) >= _MOST:
            _rings.clear()
        _rings[terms.account_id] = known
    return known


def is_current(account_id: UUID, version: int) -> bool:
    """Whether the account is still what was read at this version number; one query.

    For a refusal that memory alone gave: the account may allow by now what is remembered as forbidden.
    """
    return BillingAccount.objects.filter(id=account_id, version=version).exists()


def forget(account_id: UUID) -> None:
    """The account has changed: pass over what was read of it, and of its workspaces, before now; one query."""
    version = BillingAccount.objects.filter(id=account_id).values_list("version", flat=True).first() or 0
    if len(_outdated) >= _MOST:
        forget_everything()
    _outdated[account_id] = max(version - 1, _outdated.get(account_id, 0))


def _is_outdated(account_id: UUID, version: int) -> bool:
    return version <= _outdated.get(account_id, 0)


def forget_everything() -> None:
    """Start over, as a new process would."""
    _terms.clear()
    _rings.clear()
    _placements.clear()
    _outdated.clear()
