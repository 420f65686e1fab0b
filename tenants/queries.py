"""Reading tenants, their workspaces and keys; every look-up stays inside one tenant."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tenants.errors import ExpiredInvitation, RevokedInvitation, UnknownInvitation, UsedInvitation
from tenants.invitation_tokens import digest_of
from tenants.models import ApiKey, Invitation, Membership, User, Workspace
from tenants.permissions import Permission, role_permissions


@dataclass(frozen=True, slots=True)
class Caller:
    """What an API key stands for. `workspace_id` is None for a key of the whole tenant.

    `last_used_at` is as it was noted last (see services/note_key_use.py).
    """

    key_id: UUID
    tenant_id: UUID
    workspace_id: UUID | None
    scopes: frozenset[str]
    revoked: bool
    last_used_at: datetime | None = field(default=None, compare=False)

    # DRF asks every user.
    is_authenticated = True

    def may(self, *permissions: Permission) -> bool:
        """Whether the key has one of the scopes."""
        return not self.scopes.isdisjoint(permissions)


def find_caller(digest: bytes) -> Caller | None:
    """The caller whose key has this digest; None if there is no such key. A revoked key is found, marked."""
    row = (
        ApiKey.objects.filter(digest=digest)
        .values_list("id", "tenant_id", "workspace_id", "scopes", "revoked_at", "last_used_at")
        .first()
    )
    if row is None:
        return None
    return Caller(row[0], row[1], row[2], frozenset(row[3]), revoked=row[4] is not None, last_used_at=row[5])


def find_workspace(caller: Caller, name: str) -> Workspace | None:
    """The workspace with this slug or id, if the key may see it."""
    workspaces = Workspace.objects.filter(tenant_id=caller.tenant_id)
    if caller.workspace_id is not None:
        workspaces = workspaces.filter(id=caller.workspace_id)
    as_id = _uuid_or_none(name)
    return workspaces.filter(slug=name).first() or (workspaces.filter(id=as_id).first() if as_id else None)


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text.removeprefix("ws_"))
    except ValueError:
        return None


def memberships_of(user_id: int) -> list[Membership]:
    """A user's memberships with their tenants, by the tenants' names."""
    return list(Membership.objects.filter(user_id=user_id).select_related("tenant").order_by("tenant__name"))


def permissions_of(*, user_id: int, tenant_id: UUID) -> frozenset[Permission]:
    """What a user may do in a tenant; nothing without a membership."""
    role = Membership.objects.filter(user_id=user_id, tenant_id=tenant_id).values_list("role", flat=True).first()
    return role_permissions(role) if role is not None else frozenset()


def role_of(*, user_id: int, tenant_id: UUID) -> str:
    """A user's role in a tenant; empty without a membership."""
    return Membership.objects.filter(user_id=user_id, tenant_id=tenant_id).values_list("role", flat=True).first() or ""


def members_of(tenant_id: UUID) -> list[Membership]:
    """The tenant's members with their users, by address."""
    members = Membership.objects.filter(tenant_id=tenant_id).select_related("user")
    return list(members.order_by("user__email"))


def invitations_of(tenant_id: UUID) -> list[Invitation]:
    """Invitations that were neither accepted nor withdrawn, expired ones too, the newest first."""
    waiting = Invitation.objects.filter(tenant_id=tenant_id, accepted_at=None, revoked_at=None)
    return list(waiting.select_related("invited_by").order_by("-sent_at", "-id"))


def find_invitation(token: str, at: datetime) -> Invitation:
    """The invitation that a link's token belongs to, with its tenant and who sent it; raises as `require_usable`."""
    found = Invitation.objects.filter(digest=digest_of(token)).select_related("tenant", "invited_by")
    return require_usable(found.first(), at)


def find_user(email: str) -> User | None:
    """Who signs in with this address, in any case."""
    return User.objects.filter(email__iexact=email).first()


def require_usable(invitation: Invitation | None, at: datetime) -> Invitation:
    """Raise UnknownInvitation, UsedInvitation, RevokedInvitation or ExpiredInvitation for one that gives no entry."""
    if invitation is None:
        raise UnknownInvitation
    if invitation.accepted_at is not None:
        raise UsedInvitation
    if invitation.revoked_at is not None:
        raise RevokedInvitation
    if not invitation.is_open(at):
        raise ExpiredInvitation
    return invitation
