"""Usage events as staff see them, and taking a wrong one back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.core.ids import encode_id
from billing.plans.catalogue_file import METERED_UNITS
from billing.subscriptions.account_admin import AccountFactAdmin
from billing.usage.admin.rebuilding import RebuildsUsage
from billing.usage.errors import NotReversible
from billing.usage.models import UsageEvent
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import Actor
from tenants.staff_admin import NarrowedTableAdmin, badge, change_url, go_to, link, show_amount, uuid_in
from tenants.staff_dialogs import DialogForm, dialog_action

_EVENT = "billing_usage_usageevent"
_FUNDING_COLOURS = {"credits": "success", "invoice": "warning", "provider": "info"}


class ProductFilter(admin.SimpleListFilter):
    """By product, from the known ones: asking the table for its distinct products would read all of it."""

    title = "product"
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(product, product) for product in ("llm", *METERED_UNITS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        return queryset.filter(product=self.value()) if self.value() else queryset


class ReverseForm(DialogForm):
    """Why an event is taken back: kept in the tenant's audit log."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget)


@admin.register(UsageEvent)
class UsageEventAdmin(RebuildsUsage, AccountFactAdmin[UsageEvent], NarrowedTableAdmin[UsageEvent]):
    """The append-only record of what ran. A mistake is taken back by another event that names it."""

    list_display = (
        "occurred_at",
        "account",
        "product",
        "model",
        "quantity",
        "unit",
        "cost",
        "currency",
        "funding_badge",
        "reverses_id",
    )
    list_filter = (ProductFilter, "credential_source", "funding", "occurred_at")
    exclude = ("body_digest", "reverses_id")
    readonly_fields = ("account", "correction")
    other_ids = ("reverses_id",)
    actions_detail = ("reverse", "rebuild")

    def has_reverse_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold passes the id of the page's object, so that the button shows on events that still stand alone."""
        if not request.user.has_perm("billing_usage.change_usageevent"):
            return False
        if obj is None:
            return True
        found = uuid_in(str(obj))
        event = UsageEvent.objects.filter(id=found).first() if found else None
        return event is not None and event.reverses_id is None and _reversal_of(event) is None

    @admin.display(description="Correction")
    def correction(self, event: UsageEvent) -> str | None:
        if event.reverses_id is not None:
            return format_html("takes {} back", link(_EVENT, event.reverses_id, encode_id("evt", event.reverses_id)))
        reversal = _reversal_of(event)
        if reversal is None:
            return None
        return format_html("taken back by {}", link(_EVENT, reversal.id, encode_id("evt", reversal.id)))

    @dialog_action(
        "Reverse",
        form_class=ReverseForm,
        submit="Reverse",
        text="Another event takes this one back for good: usage, allowances, and what it cost, as credits.",
        icon="undo",
        permission="reverse",
        url_path="reverse",
    )
    def reverse(self, request: HttpRequest, form: ReverseForm, event: UsageEvent) -> HttpResponse:
        try:
            reversal = reverse_event(
                account_id=event.account_id,
                event_id=event.id,
                reason=form.cleaned_data["reason"],
                at=now(),
                actor=Actor(user_id=request.user.pk),
            )
        except NotReversible as error:
            raise ValidationError(str(error)) from error
        self.log_change(request, event, "Reversed")
        self.message_user(request, f"{show_amount(event.cost)} {event.currency} taken back.", messages.SUCCESS)
        return go_to(change_url(_EVENT, reversal.id))

    @badge("Funding", _FUNDING_COLOURS, ordering="funding")
    def funding_badge(self, event: UsageEvent) -> str:
        return event.funding


def _reversal_of(event: UsageEvent) -> UsageEvent | None:
    return UsageEvent.objects.filter(account_id=event.account_id, reverses_id=event.id).first()
