"""What was sent to customers' webhook endpoints, what came back, and sending it again (N1)."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from billing.core.ids import encode_id
from billing.core.problems import Problem
from billing.notifications.admin.webhook_endpoint import ENDPOINT, actor_of, may
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import body_of
from billing.notifications.services.redeliver import redeliver
from billing.notifications.webhook_posting import was_gone
from tenants.staff_admin import LargeTableAdmin, ReadOnlyInline, badge, change_url, confirmed_action, go_to, link

_GONE_FOR_GOOD = "failed: the endpoint is gone (410)"
_COLOURS = {
    "pending": "info",
    "delivered": "success",
    "failed": "danger",
    "cancelled": "default",
    _GONE_FOR_GOOD: "danger",
}


class TypeFilter(admin.SimpleListFilter):
    """By type, from the registry: asking the table for its distinct types would read all of it."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(kind.value, kind.value) for kind in EventType]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event__type=self.value()) if self.value() else queryset


class WebhookAttemptInline(ReadOnlyInline[WebhookAttempt, WebhookDelivery]):
    """Each try."""

    model = WebhookAttempt
    fields = ("at", "status_code", "duration_ms", "error", "answer", "manual")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LargeTableAdmin[WebhookDelivery]):
    """An event for one endpoint. Kept for 30 days."""

    list_display = ("created_at", "tenant", "type", "endpoint", "state_badge", "tries", "due_at", "error")
    list_select_related = ("tenant", "event", "endpoint")
    list_filter = ("state", TypeFilter, "created_at")
    search_fields = ("tenant__slug", "tenant__name", "object_id")
    search_help_text = "Tenant, what it is about, or the id of a delivery, event, endpoint or tenant"
    id_search_fields = ("id", "event_id", "endpoint_id", "tenant_id")
    fields = (
        ("tenant", "endpoint_link"),
        "type",
        "object_id",
        "message",
        ("state_badge", "tries", "by_hand"),
        ("created_at", "due_at", "delivered_at"),
        "error",
        "body",
    )
    readonly_fields = ("endpoint_link", "type", "message", "state_badge", "body")
    inlines = (WebhookAttemptInline,)
    actions_detail = ("send_again",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """By endpoint as well: its page links to its log."""
        return lookup == "endpoint__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_send_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return may(request)

    @badge("State", _COLOURS, ordering="state")
    def state_badge(self, delivery: WebhookDelivery) -> str:
        return _GONE_FOR_GOOD if was_gone(delivery) else delivery.state

    @admin.display(description="Event")
    def type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @admin.display(description="webhook-id")
    def message(self, delivery: WebhookDelivery) -> str:
        return encode_id("msg", delivery.event_id)

    @admin.display(description="Endpoint")
    def endpoint_link(self, delivery: WebhookDelivery) -> SafeString:
        return link(ENDPOINT, delivery.endpoint_id, delivery.endpoint)

    @admin.display(description="Body")
    def body(self, delivery: WebhookDelivery) -> SafeString:
        shown = json.dumps(json.loads(body_of(delivery.event)), indent=2, ensure_ascii=False)
        return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', shown)

    @confirmed_action(
        "Send again",
        question="It is sent under the same id as before, with all its tries, whatever became of it.",
        icon="replay",
        permission="send",
        url_path="send-again",
    )
    def send_again(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        delivery = WebhookDelivery.objects.get(id=UUID(object_id))
        try:
            redeliver(
                tenant_id=delivery.tenant_id,
                endpoint_id=delivery.endpoint_id,
                delivery_id=delivery.id,
                actor=actor_of(request),
                at=now(),
            )
        except Problem as problem:
            self.message_user(request, problem.detail, messages.WARNING)
        except WebhookEndpoint.DoesNotExist:
            self.message_user(request, "The customer has removed the endpoint.", messages.WARNING)
        else:
            self.log_change(request, delivery, "Sent again")
            self.message_user(request, "It is sent again.", messages.SUCCESS)
        return go_to(change_url("billing_notifications_webhookdelivery", object_id))
