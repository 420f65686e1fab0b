"""Forms of provider keys. A key's text leaves a form as a `Secret` and is never put back into one (K2)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict

from billing.console.pages.keys.places import TENANT, PlaceOption, Places
from billing.console.pages.keys.replaced import notes_on
from billing.core.ids import InvalidId, decode_id
from tenants.models import Tenant
from vault.crypto.redaction import parts_of, shows_a_key
from vault.crypto.secret import Secret
from vault.inputs import may_be_a_key
from vault.models import KeyPolicy
from vault.providers.base import NO_KEY, Provider

NOT_YET = "none"
PLATFORM = "platform"
ALL, SOME = "all", "some"
MOST_MODELS, LONGEST_MODEL = 50, 120
LONGEST_KEY = 4000
MOST_HOURS = 24 * 30

Data = QueryDict | Mapping[str, Any] | None


class SecretField(forms.CharField):
    """A key's text; it comes out as a `Secret`, and no answer to the form repeats it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"})
        super().__init__(max_length=LONGEST_KEY, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return Secret(text) if text else None


def forget_keys(form: forms.Form) -> None:
    """Let a refused form repeat no key: not the field's own, and none that was pasted into a field beside it (K2)."""
    if not isinstance(form.data, QueryDict):
        return
    given = form.data.get("api_key", "").strip()
    kept = form.data.copy()
    for name, text in form.data.items():
        shows = shows_a_key(str(text)) or (name == "name" and may_be_a_key(str(text)))
        if name == "api_key" or shows or (given and any(part in str(text) for part in parts_of(given))):
            kept[name] = ""
    form.data = kept


class ModelsForm(forms.Form):
    """Which of a provider's models: all, or those that are checked or named, `*` standing for anything (K7)."""

    def __init__(self, data: Data = None, *, models: Sequence[tuple[str, str]], **options: Any) -> None:
        """`models` are the listed ones, as (id, title)."""
        super().__init__(data, **options)
        self.fields["which"] = forms.ChoiceField(
            label="Models",
            choices=[(ALL, "All models"), (SOME, "Only some models")],
            widget=forms.RadioSelect,
            initial=ALL,
        )
        if models:
            self.fields["listed"] = forms.MultipleChoiceField(
                label="Listed models", choices=models, required=False, widget=forms.CheckboxSelectMultiple
            )
        self.fields["named"] = forms.CharField(
            label="Other models" if models else "Model names",
            required=False,
            max_length=2000,
            help_text="As the provider names them, with commas between. A * stands for anything: gpt-4*.",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("which") == SOME:
            models = self._some(cleaned)
            if not models:
                self.add_error("named", "Choose or name at least one model, or choose all models.")
            elif len(models) > MOST_MODELS or any(len(model) > LONGEST_MODEL for model in models):
                self.add_error("named", f"At most {MOST_MODELS} models, each of {LONGEST_MODEL} characters at most.")
        return cleaned

    def models(self) -> list[str]:
        """Of a valid form; empty for all."""
        return self._some(self.cleaned_data) if self.cleaned_data["which"] == SOME else []

    @staticmethod
    def _some(cleaned: Mapping[str, Any]) -> list[str]:
        named = (name.strip() for name in cleaned.get("named", "").split(","))
        return list(dict.fromkeys([*cleaned.get("listed", []), *(name for name in named if name)]))


class PlaceMixin(forms.Form):
    """The choice of a place, with the id of an agent where there are too many to list."""

    places: Places
    tenant: Tenant

    def add_place(
        self,
        places: Places,
        *,
        extra: Sequence[tuple[str, str]] = (),
        with_tenant: bool = True,
        notes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.places = places
        choices = [*extra, *places.choices(with_tenant=with_tenant, notes=notes)]
        self.fields["place"] = forms.ChoiceField(label="Use it for" if extra else "Where", choices=choices)
        if places.has_more:
            self.fields["agent"] = forms.CharField(
                label="Or an agent that is not in the list",
                required=False,
                max_length=40,
                help_text="Its id, such as agt_0192…; it goes before the choice above.",
            )

    def clean_agent(self) -> PlaceOption | None:
        text = self.cleaned_data["agent"].strip()
        if not text:
            return None
        try:
            found = self.places.find_agent(decode_id("agt", text))
        except InvalidId:
            found = None
        if found is None:
            raise ValidationError("No agent of yours has this id.")
        return found

    def place(self) -> PlaceOption | None:
        """Of a valid form; None where it is for no place yet."""
        return self.cleaned_data.get("agent") or self.places.find(self.cleaned_data["place"])


class ExpiryMixin(forms.Form):
    """When the provider ends a key, where that is known."""

    zone_tenant: Tenant

    def add_expiry(self, tenant: Tenant, initial: datetime | None = None) -> None:
        self.zone_tenant = tenant
        self.fields["expires_on"] = forms.DateField(
            label="Expires on",
            required=False,
            initial=initial.astimezone(tenant.zone).date() if initial is not None else None,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text="If the provider ends it on a day that you know. You are told two weeks before.",
        )

    def expires_at(self) -> datetime | None:
        """The beginning of that day in the tenant's time zone."""
        day: date | None = self.cleaned_data["expires_on"]
        return datetime.combine(day, time(), self.zone_tenant.zone) if day is not None else None


class AddKeyForm(ModelsForm, PlaceMixin, ExpiryMixin):
    """A new key of one provider, and what it is used for."""

    def __init__(
        self,
        data: Data = None,
        *,
        provider: Provider,
        tenant: Tenant,
        places: Places,
        models: Sequence[tuple[str, str]],
        held: Mapping[str, str],
    ) -> None:
        """`held`: what places have for the provider by now, by their values."""
        super().__init__(data, models=models)
        self.provider = provider
        some = dict(self.fields)
        self.fields.clear()
        self.fields["name"] = forms.CharField(max_length=100, required=False, help_text="To tell it from others.")
        self.fields["api_key"] = SecretField(
            label="Key" if provider.needs_key else "Token",
            required=provider.needs_key,
            help_text=f"It looks like {provider.key_hint}" if provider.needs_key else provider.key_hint.capitalize(),
        )
        if provider.takes_base_url:
            own = "Only for a server of your own that speaks this API."
            self.fields["base_url"] = forms.CharField(
                label="Base URL",
                required=provider.needs_base_url,
                max_length=300,
                widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
                help_text="Of your server, by https." if provider.needs_base_url else own,
            )
        self.add_expiry(tenant)
        self.add_place(places, extra=[(NOT_YET, "Nothing yet")], notes=notes_on(held))
        self.fields["place"].initial = NOT_YET if TENANT in held else TENANT
        self.fields["place"].help_text = "What the place has for the same models is replaced." if held else ""
        self.fields.update(some)

    def secret(self) -> Secret:
        """Of a valid form."""
        return self.cleaned_data["api_key"] or Secret(NO_KEY)


class RotateForm(ExpiryMixin):
    """The next version of a key."""

    def __init__(self, data: Data = None, *, provider: Provider, tenant: Tenant) -> None:
        super().__init__(data, auto_id="rotate_%s")  # another form of the page has fields of these names
        self.fields["api_key"] = SecretField(label="New key", help_text=f"It looks like {provider.key_hint}")
        self.fields["overlap_hours"] = forms.IntegerField(
            label="Keep the old key for (hours)",
            min_value=0,
            max_value=MOST_HOURS,
            initial=settings.VAULT_OVERLAP_HOURS,
            help_text="You can go back to it that long. 0 erases it at once.",
        )
        self.add_expiry(tenant)

    def overlap(self) -> timedelta:
        """Of a valid form."""
        return timedelta(hours=self.cleaned_data["overlap_hours"])


class KeySettingsForm(ExpiryMixin):
    """What a key is called, and when its provider ends it."""

    def __init__(
        self, data: Data = None, *, tenant: Tenant, name: str = "", expires_at: datetime | None = None
    ) -> None:
        super().__init__(data)
        self.fields["name"] = forms.CharField(max_length=100, initial=name)
        self.add_expiry(tenant, expires_at)


class AssignForm(ModelsForm, PlaceMixin):
    """Which key a place has for a provider's models; the platform's, on purpose, where that may be."""

    def __init__(
        self,
        data: Data = None,
        *,
        places: Places,
        models: Sequence[tuple[str, str]],
        keys: Sequence[tuple[str, str]],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, models=models, initial=initial)
        some = dict(self.fields)
        self.fields.clear()
        self.add_place(places)
        self.key_choices = keys
        self.fields["credential"] = forms.ChoiceField(label="Key", choices=keys, widget=forms.RadioSelect)
        self.fields.update(some)


class StartForm(PlaceMixin):
    """A provider and a place: where an assignment begins."""

    def __init__(self, data: Data = None, *, places: Places, providers: Sequence[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["provider"] = forms.ChoiceField(choices=providers)
        self.add_place(places)


class WhichForm(PlaceMixin):
    """A run that somebody asks about."""

    def __init__(self, data: Data = None, *, places: Places, providers: Sequence[tuple[str, str]]) -> None:
        super().__init__(data, auto_id="which_%s")  # it stands beside the form that begins an assignment
        self.add_place(places, with_tenant=False)
        self.fields["provider"] = forms.ChoiceField(choices=providers)
        self.fields["model"] = forms.CharField(
            max_length=LONGEST_MODEL, required=False, help_text="As the provider names it. Empty: any model."
        )


class PolicyForm(forms.Form):
    """What happens to runs without a usable key."""

    fallback = forms.ChoiceField(choices=KeyPolicy.Fallback)
