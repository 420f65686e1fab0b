from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.models import Membership, User
from tenants.permissions import Role
from tenants.services.record_audit import Actor, record_audit


@dataclass(frozen=True)
class AddedMember:
    """A member, and whether the user is new: such a one has no password yet."""

    membership: Membership
    is_new_user: bool


@transaction.atomic
def add_member(*, tenant_id: UUID, email: str, role: Role, at: datetime, actor: Actor) -> AddedMember:
    """Give somebody a role in a tenant, by e-mail address in any case; a new user gets no usable password.

    Raises IntegrityError for somebody who is a member already.
    """
    user = User.objects.filter(email__iexact=email).first()
    is_new = user is None
    if user is None:
        user = User.objects.create_user(email, date_joined=at)
    membership = Membership.objects.create(tenant_id=tenant_id, user=user, role=role, created_at=at)
    record_audit(
        tenant_id=tenant_id, actor=actor, action="member.added", target=user.email, at=at, detail={"role": role}
    )
    return AddedMember(membership, is_new)
