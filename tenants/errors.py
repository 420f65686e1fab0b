"""What is refused of members and invitations; the text of each is for the person who asked."""


class MembershipError(Exception):
    """Something about members or invitations cannot be done."""

    text = ""
    advice = "Ask the person who invited you to send it again, from Members in their console."

    def __str__(self) -> str:
        return self.text


class LastOwner(MembershipError):
    text = "An organisation keeps at least one owner who can sign in. Make somebody else an owner first."


class OwnersOnly(MembershipError):
    text = "Only an owner can make or change owners."


class AlreadyMember(MembershipError):
    text = "Somebody with this address is a member already."


class AlreadyInvited(MembershipError):
    text = "This address has an open invitation already. You can send it again below."


class TooManyInvitations(MembershipError):
    text = "There are 50 open invitations already. Revoke those that are not needed any more."


class SentTooOften(MembershipError):
    text = "This invitation was sent ten times. Revoke it, and ask whether the address is right."


class SentJustNow(MembershipError):
    text = "An invitation was sent less than a minute ago; wait until it has had time to arrive, then send it again."


class UnknownInvitation(MembershipError):
    text = "No invitation belongs to this link."
    advice = (
        "See that all of it was copied. If the invitation was sent again, only the link in the newest e-mail works. "
        "Else ask the person who invited you."
    )


class ExpiredInvitation(MembershipError):
    text = "This invitation has expired."


class RevokedInvitation(MembershipError):
    text = "This invitation was withdrawn."


class UsedInvitation(MembershipError):
    text = "This invitation was accepted already."
    advice = "If that was you, sign in. If it was not, tell an owner of the organisation."


class WrongAddress(MembershipError):
    text = "The invitation is for another address than the one that you are signed in with."


class SignInFirst(MembershipError):
    text = "Somebody with this address signs in here already: sign in to accept the invitation."


class SwitchedOff(MembershipError):
    text = "The account with this address is switched off."
    advice = "Ask the people who run this installation to let you sign in again."
