"""Forms about members: inviting, changing a role, choosing a password."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.http import QueryDict

from billing.console.member_texts import ROLE_MEANINGS, ROLE_NAMES
from tenants.models import User
from tenants.permissions import Role


def role_choices(roles: Iterable[Role]) -> list[tuple[str, str]]:
    """Roles with what each may do."""
    return [(role.value, f"{ROLE_NAMES[role]}: {ROLE_MEANINGS[role]}") for role in roles]


class _MailboxValidator(EmailValidator):
    """Addresses that mail servers take: nothing quoted, ASCII alone before the @, no IP address after it."""

    user_regex = re.compile(r"(?=.{1,64}\Z)[-!#$%&'*+/=?^_`{|}~0-9A-Za-z]+(\.[-!#$%&'*+/=?^_`{|}~0-9A-Za-z]+)*\Z")

    def validate_domain_part(self, domain_part: str) -> bool:
        """A name, with letters of any language."""
        return not domain_part.startswith("[") and super().validate_domain_part(domain_part)


class _MailboxField(forms.EmailField):
    default_validators = [_MailboxValidator()]


class InviteForm(forms.Form):
    """Whom to invite, and what they may do; `roles` are those that the member may give."""

    email = _MailboxField(max_length=254, label="E-mail address")

    def __init__(self, data: QueryDict | None = None, *, roles: Iterable[Role]) -> None:
        super().__init__(data)
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.fields["role"] = forms.ChoiceField(choices=role_choices(roles), widget=forms.RadioSelect)
        self.initial["role"] = Role.VIEWER.value

    def role_chosen(self) -> Role:
        """Of a valid form."""
        return Role(self.cleaned_data["role"])


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role])


class JoinForm(forms.Form):
    """Who somebody is that joins by an invitation, and the password that they choose."""

    name = forms.CharField(max_length=200, required=False, label="Your name")
    password = forms.CharField(max_length=200, strip=False, widget=forms.PasswordInput(render_value=False))

    def __init__(self, data: QueryDict | None = None, *, email: str) -> None:
        super().__init__(data)
        self._email = email
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        password = self.fields["password"]
        password.label = "Choose a password"
        password.help_text = "Eight characters or more, and not one that many people use."
        password.widget.attrs["autocomplete"] = "new-password"

    def clean(self) -> dict[str, Any]:
        """Passwords that are short, common, or like the name or address are refused."""
        values: dict[str, Any] = super().clean() or {}
        if "password" in values:
            person = User(email=self._email, name=values.get("name", ""))
            try:
                validate_password(values["password"], person)
            except ValidationError as error:
                self.add_error("password", error)
        return values
