"""Bodies and parameters of /v1/webhook-endpoints (N1)."""

from datetime import timedelta

from rest_framework import serializers

from billing.api.serializers import Body, PageQuery, Query, Text, WholeNumber
from billing.api.vault_fields import Word
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.services.rotate_secret import LONGEST_OVERLAP

_TYPES = "Which events are sent there, by type; an empty list stands for all, also those that are added later."


def _event_types() -> serializers.ListField:
    return serializers.ListField(child=Text(max_length=60), required=False, max_length=50, help_text=_TYPES)


class NewWebhookEndpoint(Body):
    """Where to send events."""

    url = Text(max_length=WebhookEndpoint.url.field.max_length, help_text="https, at a public address.")
    description = Text(required=False, allow_blank=True, max_length=WebhookEndpoint.description.field.max_length)
    event_types = _event_types()


class WebhookEndpointChange(Body):
    """What to change of an endpoint; what is not sent stays."""

    url = Text(required=False, max_length=WebhookEndpoint.url.field.max_length)
    description = Text(required=False, allow_blank=True, max_length=WebhookEndpoint.description.field.max_length)
    event_types = _event_types()
    state = Word(WebhookEndpoint.State.values, required=False)


class SecretRotation(Body):
    """How long both secrets are valid."""

    overlap_hours = WholeNumber(
        required=False,
        min_value=0,
        max_value=LONGEST_OVERLAP // timedelta(hours=1),
        help_text="How long events are signed with the replaced secret too; 0 ends it at once. Else 24.",
    )


class Nothing(Body):
    """A body without fields."""


class WebhookQuery(Query):
    """No parameters."""


class DeliveryQuery(PageQuery):
    """Which deliveries to list."""

    state = Word(WebhookDelivery.State.values, required=False, help_text="In this state alone.")
    type = Word([kind.value for kind in EventType], required=False, help_text="Of events of this type alone.")
