"""Who may get in: members are invited, nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignupAdapter(DefaultAccountAdapter):
    """allauth without open sign-up, in the console's words."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
