"""Forms of webhook endpoints (N1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from billing.core.problems import Problem
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint

ALL, SOME = "all", "some"
_OVERLAPS = {
    24: "For 24 hours, while your programs change over",
    72: "For 3 days",
    168: "For 7 days",
    0: "Not at all: it may be in wrong hands",
}
_FIELDS = {"webhook-address-not-allowed": "url", "unknown-event-type": "event_types"}


@dataclass(frozen=True, slots=True)
class TypeLabel:
    """A type of events beside its check box."""

    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


def type_choices() -> list[tuple[str, TypeLabel]]:
    """The types that an endpoint can choose; test events are sent whatever is chosen."""
    chosen = [kind for kind in EventType if kind is not EventType.WEBHOOK_ENDPOINT_TEST]
    return [(kind.value, TypeLabel(kind.value, kind.description)) for kind in chosen]


class EndpointForm(forms.Form):
    """Where events are sent, and which."""

    url = forms.CharField(
        label="Address",
        max_length=WebhookEndpoint.url.field.max_length,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://", "autocomplete": "off"}),
        help_text="Of your program, by https, at a public address.",
    )
    description = forms.CharField(
        max_length=WebhookEndpoint.description.field.max_length,
        required=False,
        help_text="To tell it from others.",
    )
    which = forms.ChoiceField(
        label="Events",
        choices=[(ALL, "All events, also types that are added later"), (SOME, "Only some types")],
        widget=forms.RadioSelect,
        initial=ALL,
    )

    def __init__(self, data: QueryDict | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.fields["event_types"] = forms.MultipleChoiceField(
            label="Types of events",
            choices=type_choices(),
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("which") == SOME and not cleaned.get("event_types") and "event_types" not in self.errors:
            self.add_error("event_types", "Choose at least one type, or all events.")
        return cleaned

    def chosen(self) -> list[str]:
        """The types of a valid form; empty for all."""
        return list(self.cleaned_data["event_types"]) if self.cleaned_data["which"] == SOME else []


def endpoint_form(endpoint: WebhookEndpoint) -> EndpointForm:
    """The form as the endpoint is now."""
    return EndpointForm(
        initial={
            "url": endpoint.url,
            "description": endpoint.description,
            "which": SOME if endpoint.event_types else ALL,
            "event_types": endpoint.event_types,
        }
    )


class RotationForm(forms.Form):
    """How long the replaced secret stays valid."""

    overlap_hours = forms.TypedChoiceField(
        label="Sign with the old secret too",
        choices=list(_OVERLAPS.items()),
        coerce=int,
        initial=24,
    )

    def overlap(self) -> timedelta:
        """Of a valid form."""
        return timedelta(hours=self.cleaned_data["overlap_hours"])


class DeliveryFilter(forms.Form):
    """Which deliveries of the log are shown; what is no choice stands for all."""

    state = forms.ChoiceField(
        choices=[("", "Any state"), *((state.value, state.label.partition(":")[0]) for state in WebhookDelivery.State)],
        required=False,
    )
    type = forms.ChoiceField(
        label="Type of event",
        choices=[("", "Any type"), *((kind.value, kind.value) for kind in EventType)],
        required=False,
    )

    def chosen(self) -> dict[str, str]:
        """State and type, empty where there is none or no such one."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in ("state", "type")}


def refuse(form: forms.Form, problem: Problem) -> None:
    """Put a refusal at the field that it is about."""
    field = _FIELDS.get(problem.code)
    text = " ".join(part for part in (problem.detail, problem.remedy) if part)
    form.add_error(field if field in form.fields else None, text)
