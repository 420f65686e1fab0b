"""Usage events as staff see them, with taking a wrong one back: on invoices too, and so it stands in this layer."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.invoices.services.take_back_usage import take_back_usage
from billing.usage.admin.event import UsageEventAdmin
from billing.usage.errors import NotReversible
from billing.usage.models import UsageEvent
from billing.usage.queries import reversal_of
from tenants.services.record_audit import Actor
from tenants.staff_admin import change_url, go_to, show_amount, uuid_in
from tenants.staff_dialogs import DialogForm, dialog_action

_EVENT = "billing_usage_usageevent"


class ReverseForm(DialogForm):
    """Why an event is taken back: kept in the tenant's audit log."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget)


@admin.register(UsageEvent)
class ReversibleUsageEventAdmin(UsageEventAdmin):
    """A mistake is taken back by another event that names it, and by a credit note where an invoice lists it."""

    actions_detail = ("reverse", "rebuild")

    def has_reverse_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold passes the id of the page's object, so that the button shows on events that still stand alone."""
        if not request.user.has_perm("billing_usage.change_usageevent"):
            return False
        if obj is None:
            return True
        found = uuid_in(str(obj))
        event = UsageEvent.objects.filter(id=found).first() if found else None
        return event is not None and event.reverses_id is None and reversal_of(event) is None

    @dialog_action(
        "Reverse",
        form_class=ReverseForm,
        submit="Reverse",
        text="Another event takes this one back for good: usage, allowances, and what it cost, off what is owed for it "
        "or as credits. An invoice that lists it gets a credit note.",
        icon="undo",
        permission="reverse",
        url_path="reverse",
    )
    def reverse(self, request: HttpRequest, form: ReverseForm, event: UsageEvent) -> HttpResponse:
        try:
            reversal = take_back_usage(
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
