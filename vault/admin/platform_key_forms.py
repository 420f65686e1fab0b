"""What staff type when they add or rotate a key of the platform."""

from datetime import timedelta
from typing import ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from tenants.services.record_audit import Actor
from tenants.staff_admin import TypedModelForm
from tenants.staff_dialogs import DialogForm
from vault.admin.refusals import in_words
from vault.crypto.redaction import parts_of, shows_a_key
from vault.crypto.secret import Secret
from vault.errors import CredentialExists, HoldsKey, InvalidValue, VaultError
from vault.inputs import check_name, check_weight, may_be_a_key
from vault.models import Credential, PlatformKey
from vault.providers import PROVIDERS
from vault.services.add_credential import add_credential
from vault.versions import check_name_beside

_NO_MEMORY = {"autocomplete": "new-password", "spellcheck": "false"}


def provider_choices() -> list[tuple[str, str]]:
    """Providers that the platform can have a key of; some only run on customers' own machines."""
    return [(one.id, f"{one.name} ({one.kind})") for one in PROVIDERS.values() if not one.needs_base_url]


def key_field() -> forms.CharField:
    """The key's text: never shown again, not even after an error."""
    return forms.CharField(max_length=2000, label="Key", widget=UnfoldAdminPasswordWidget(attrs=_NO_MEMORY))


@sensitive_variables()
def forget_key(form: forms.BaseForm) -> None:
    """Let a refused form repeat no key: not the field's own, nor one that was pasted into a field beside it (K2)."""
    given, kept = form.data.get("key", "").strip(), dict(form.data.items())
    for name, text in form.data.items():
        shows = shows_a_key(str(text)) or (name == "name" and may_be_a_key(str(text)))
        if name == "key" or shows or (given and any(part in str(text) for part in parts_of(given))):
            kept[name] = ""
    form.data = kept


class PlatformKeyForm(TypedModelForm[PlatformKey]):
    """What can be changed of a key that is there."""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            if self.instance.created_at is None:
                check_name(name)
            elif name != self.initial.get("name"):
                check_name_beside(self.instance, name, tenant_id=None)
        except HoldsKey as error:
            self.data = dict(self.data.items()) | {"name": ""}
            raise ValidationError(error.reason) from None
        except VaultError as error:
            raise ValidationError(in_words(error)) from None
        return name

    def clean_weight(self) -> int:
        weight: int = self.cleaned_data["weight"]
        try:
            check_weight(weight)
        except InvalidValue as error:
            raise ValidationError(error.reason) from None
        return weight

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.errors:
            forget_key(self)


class NewPlatformKeyForm(PlatformKeyForm):
    """A key that the provider is asked about before it is stored (K2).

    Stored while it is validated: only the provider knows whether the form is right, and its answer belongs beside the
    field. `actor` is who sends the form.
    """

    actor: ClassVar[Actor]
    made: Credential

    provider = forms.ChoiceField(choices=provider_choices, widget=UnfoldAdminSelectWidget)
    key = key_field()

    class Meta:
        model = PlatformKey
        fields = ("provider", "name", "weight")

    def clean_key(self) -> Secret:
        return Secret(self.cleaned_data["key"])

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and not self.errors:
            self._store()
        if self.is_bound and self.errors:
            forget_key(self)

    @sensitive_variables()
    def _store(self) -> None:
        said = self.cleaned_data
        try:
            self.made = add_credential(
                tenant_id=None,
                provider=said["provider"],
                name=said["name"],
                plain=said["key"],
                weight=said["weight"],
                actor=self.actor,
                at=now(),
            )
        except CredentialExists as error:
            self.add_error("name", in_words(error))
        except VaultError as error:
            self.add_error("key", in_words(error))


class RotateForm(DialogForm):
    """A new text for the same key."""

    key = key_field()
    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=24 * 30,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="For so long the old text is kept to go back to. 0: it is erased at once.",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("overlap_hours", settings.VAULT_OVERLAP_HOURS)

    def clean_key(self) -> Secret:
        return Secret(self.cleaned_data["key"])

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.errors:
            forget_key(self)

    def overlap(self) -> timedelta:
        """Of a valid form."""
        return timedelta(hours=self.cleaned_data["overlap_hours"])
