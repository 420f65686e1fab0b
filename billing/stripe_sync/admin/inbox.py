"""The inbox of Stripe's events: what came, what became of it, and doing it again (S4)."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.stripe_sync.events import CONNECT_EVENTS, PLATFORM_EVENTS
from billing.stripe_sync.models import InboxEvent, StripeCustomer
from billing.stripe_sync.queries import inbox_lag
from billing.stripe_sync.services.replay_event import replay_event
from billing.stripe_sync.tasks import queue_inbox
from tenants.staff_admin import LargeTableAdmin, badge, change_url, confirmed_action, go_to, link

_EVENT = "billing_stripe_sync_inboxevent"
_STATE_COLOURS = {"pending": "info", "done": "success", "ignored": "default", "failed": "danger"}


class TypeFilter(admin.SimpleListFilter):
    """By type, from those that we ask for: asking the table for its distinct types would read all of it."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(name, name) for name in (*PLATFORM_EVENTS, *CONNECT_EVENTS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> QuerySet[InboxEvent]:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(InboxEvent)
class InboxEventAdmin(LargeTableAdmin[InboxEvent]):
    """Each event once, however often it was delivered. A replay reads Stripe afresh, so that it does no harm."""

    list_display = ("received_at", "type", "object_id", "customer_id", "state_badge", "tries", "deliveries", "error")
    list_filter = ("state", TypeFilter, "livemode", "received_at")
    search_fields = ("event_id", "type", "object_id", "customer_id", "connected_account")
    search_help_text = "Id of an event, an object or a customer at Stripe, a type, or our own id"
    ordering = ("-received_at", "-id")
    fields = (
        ("event_id", "type", "livemode"),
        ("object_type", "object_id"),
        ("customer_id", "account", "connected_account"),
        ("occurred_at", "received_at", "deliveries"),
        ("state", "tries", "due_at", "processed_at"),
        "error",
    )
    readonly_fields = ("account",)
    actions = ("replay_selected",)
    actions_detail = ("replay",)

    def has_replay_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_stripe_sync.change_inboxevent")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Above the list stands how far behind the inbox is."""
        lag = inbox_lag(at=now())
        minutes = int(lag.oldest.total_seconds() // 60)
        title = f"Stripe's events: {lag.waiting} waiting, {minutes} min behind, {lag.failed} given up"
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    @badge("State", _STATE_COLOURS, ordering="state")
    def state_badge(self, event: InboxEvent) -> str:
        return event.state

    @admin.display(description="Account")
    def account(self, event: InboxEvent) -> str | None:
        customer = StripeCustomer.objects.select_related("account__tenant").filter(customer_id=event.customer_id)
        found = customer.first()
        return link("billing_subscriptions_billingaccount", found.account_id, found.account) if found else None

    @admin.action(description="Replay the selected events", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, events: QuerySet[InboxEvent]) -> None:
        for event in events:
            replay_event(event_id=event.id, at=now())
            self.log_change(request, event, "Replayed")
        transaction.on_commit(queue_inbox, robust=True)
        self.message_user(request, f"{len(events)} events are worked on again.", messages.SUCCESS)

    @confirmed_action(
        "Replay",
        question="The event is worked on again as if it had just come: what it is about is read afresh at Stripe.",
        icon="replay",
        permission="replay",
        url_path="replay",
    )
    def replay(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        event = replay_event(event_id=UUID(object_id), at=now())
        self.log_change(request, event, "Replayed")
        transaction.on_commit(queue_inbox, robust=True)
        self.message_user(request, f"{event} is worked on again.", messages.SUCCESS)
        return go_to(change_url(_EVENT, event.id))
