"""Webhook endpoints as staff see them, and switching one off and on (N1). Their secrets are nowhere to be seen."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.timezone import now

from billing.notifications.models import WebhookEndpoint
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.enable_endpoint import enable_endpoint
from tenants.services.record_audit import Actor
from tenants.staff_admin import ReadOnlyAdmin, badge, change_url, confirmed_action, go_to, link_to_list, uuid_in

ENDPOINT = "billing_notifications_webhookendpoint"
_COLOURS = {"enabled": "success", "failing": "warning", "disabled": "danger", "removed": "default"}


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin[WebhookEndpoint]):
    """A removed one keeps its log, and has no secret any more."""

    list_display = ("url", "tenant", "state_badge", "failing_since", "disabled_reason", "is_slow", "created_at")
    list_select_related = ("tenant",)
    list_filter = (
        "state",
        "disabled_reason",
        "is_slow",
        ("failing_since", admin.EmptyFieldListFilter),
        ("removed_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    search_fields = ("url", "description", "tenant__slug", "tenant__name")
    search_help_text = "Address, description, tenant, or the id of an endpoint or tenant"
    id_search_fields = ("id", "tenant_id")
    ordering = ("-created_at", "-id")
    fields = (
        ("tenant", "created_at", "created_by"),
        "url",
        ("description", "types"),
        ("state_badge", "disabled_reason", "disabled_at"),
        ("failing_since", "rests_until", "is_slow"),
        ("previous_until", "removed_at"),
        "log",
    )
    readonly_fields = ("types", "state_badge", "log")
    actions_detail = ("disable", "enable")

    def has_disable_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return may(request) and _state_of(obj) in (None, WebhookEndpoint.State.ENABLED)

    def has_enable_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return may(request) and _state_of(obj) in (None, WebhookEndpoint.State.DISABLED)

    @badge("State", _COLOURS, ordering="state")
    def state_badge(self, endpoint: WebhookEndpoint) -> str:
        if endpoint.removed_at is not None:
            return "removed"
        is_failing = endpoint.state == WebhookEndpoint.State.ENABLED and endpoint.failing_since is not None
        return "failing" if is_failing else endpoint.state

    @admin.display(description="Events")
    def types(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.event_types) or "All"

    @admin.display(description="Log")
    def log(self, endpoint: WebhookEndpoint) -> SafeString:
        return link_to_list("billing_notifications_webhookdelivery", "Deliveries", endpoint__id__exact=endpoint.pk)

    @confirmed_action(
        "Disable",
        question="Nothing is sent there until somebody enables it again. What is on its way is cancelled.",
        icon="pause_circle",
        permission="disable",
        url_path="disable",
    )
    def disable(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, disable_endpoint, "disabled")

    @confirmed_action(
        "Enable",
        question="Events are sent there from now on, as if nothing had failed before.",
        icon="play_circle",
        permission="enable",
        url_path="enable",
    )
    def enable(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, enable_endpoint, "enabled")

    def _switch(self, request: HttpRequest, object_id: str, service: Callable[..., object], done: str) -> HttpResponse:
        endpoint = WebhookEndpoint.objects.get(id=object_id)
        try:
            service(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, actor=actor_of(request), at=now())
        except WebhookEndpoint.DoesNotExist:
            self.message_user(request, "The customer has removed the endpoint.", messages.WARNING)
        else:
            self.log_change(request, endpoint, done.capitalize())
            self.message_user(request, f"{endpoint.url} is {done}.", messages.SUCCESS)
        return go_to(change_url(ENDPOINT, object_id))


def may(request: HttpRequest) -> bool:
    """Whether a member of the staff may act for customers' webhooks."""
    return request.user.has_perm("billing_notifications.change_webhookendpoint")


def actor_of(request: HttpRequest) -> Actor:
    """As the customer's audit log names them."""
    return Actor(user_id=request.user.pk)


def _state_of(obj: object) -> str | None:
    """Empty for a removed one. unfold passes the id of the page's object."""
    found: UUID | None = uuid_in(str(obj)) if obj is not None else None
    row = WebhookEndpoint.objects.filter(id=found).values_list("state", "removed_at").first() if found else None
    return None if row is None else "" if row[1] is not None else row[0]
