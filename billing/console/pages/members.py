"""The members page: who belongs to the tenant with which role, and who is invited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.console.access import Member
from billing.console.member_forms import InviteForm, role_choices
from billing.console.member_texts import ROLE_NAMES
from billing.notifications.invitation_mail import failures_of
from billing.notifications.models import Notice
from billing.notifications.services.send_notices import MOST_TRIES
from tenants.models import Invitation, Membership
from tenants.permissions import Role
from tenants.queries import invitations_of, members_of


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member. `may_change`: the reader may give them another role, or remove them."""

    user_id: int
    name: str
    email: str
    role: str
    role_name: str
    since: datetime
    is_self: bool
    is_only_owner: bool
    is_switched_off: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that nobody has accepted yet. `failure`: why its last e-mail has not been sent."""

    id: UUID
    email: str
    role_name: str
    invited_by: str
    sent_at: datetime
    expires_at: datetime
    has_expired: bool
    may_change: bool
    failure: str


@dataclass(frozen=True, slots=True)
class MembersPage:
    """`roles` are those that the reader may give, with what each may do."""

    members: Sequence[MemberRow]
    invitations: Sequence[InvitationRow]
    roles: Sequence[tuple[str, str]]
    form: InviteForm


def members_page(member: Member, form: InviteForm | None, *, at: datetime) -> MembersPage:
    """The page for a member who manages the tenant; three queries. `form` is a refused one."""
    memberships = members_of(member.tenant.id)
    own = next((row.role for row in memberships if row.user_id == member.user.pk), "")
    roles = roles_given_by(own)
    owners = [row.user_id for row in memberships if row.role == Role.OWNER and row.user.is_active]
    invitations = invitations_of(member.tenant.id)
    failures = failures_of(invitations)
    only_owner = owners[0] if len(owners) == 1 else None
    return MembersPage(
        members=[_member(row, member.user.pk, own, only_owner) for row in memberships],
        invitations=[_invitation(row, own, at, failures.get(row.id)) for row in invitations],
        roles=role_choices(roles),
        form=form or InviteForm(roles=roles),
    )


def roles_given_by(role: str) -> list[Role]:
    """Which roles somebody with this one may give: owners alone make owners."""
    return [given for given in Role if given != Role.OWNER or role == Role.OWNER]


def _member(row: Membership, reader: int, own: str, only_owner: int | None) -> MemberRow:
    is_only_owner = row.user_id == only_owner
    return MemberRow(
        user_id=row.user_id,
        name=row.user.name,
        email=row.user.email,
        role=row.role,
        role_name=ROLE_NAMES[Role(row.role)],
        since=row.created_at,
        is_self=row.user_id == reader,
        is_only_owner=is_only_owner,
        is_switched_off=not row.user.is_active,
        may_change=not is_only_owner and (row.role != Role.OWNER or own == Role.OWNER),
    )


def _invitation(row: Invitation, own: str, at: datetime, failed: Notice | None) -> InvitationRow:
    return InvitationRow(
        id=row.id,
        email=row.email,
        role_name=ROLE_NAMES[Role(row.role)],
        invited_by=row.invited_by.get_full_name() if row.invited_by else "Staff",
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        has_expired=row.expires_at <= at,
        may_change=row.role != Role.OWNER or own == Role.OWNER,
        failure=_failure(failed) if failed is not None else "",
    )


def _failure(notice: Notice) -> str:
    goes_on = " It is tried again." if notice.tries < MOST_TRIES else ""
    return f"Could not be delivered: {notice.error}{goes_on}"
