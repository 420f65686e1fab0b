from datetime import datetime

from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from tenants.errors import SignInFirst
from tenants.models import Invitation, Membership, User
from tenants.services.accept_invitation import accept_invitation


@sensitive_variables("password")
def join_by_invitation(*, invitation: Invitation, token: str, name: str, password: str, at: datetime) -> Membership:
    """Let somebody who has no password yet choose one, and make them a member (F4).

    The link proves that the address is theirs, and the password of nobody who has one is changed. Raises SignInFirst
    for such, and what `accept_invitation` raises.
    """
    try:
        with transaction.atomic():
            user = _newcomer(invitation.email, name, at)
            user.set_password(password)
            user.save(update_fields=["name", "password"])
            return accept_invitation(token=token, user=user, at=at)
    except IntegrityError:  # the same person, by another link at the same time
        raise SignInFirst from None


def _newcomer(email: str, name: str, at: datetime) -> User:
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email, date_joined=at)
    if user.has_usable_password():
        raise SignInFirst
    user.name = name or user.name
    return user
