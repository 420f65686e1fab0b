"""The button that makes an account's rollups and counters again from its events."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.db import OperationalError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.core.ids import encode_id
from billing.subscriptions.models import BillingAccount
from billing.usage.services.rebuild_rollups import Rebuilt, rebuild_rollups
from tenants.services.record_audit import Actor, record_audit
from tenants.staff_admin import change_url, confirmed_action, go_to

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Page = ModelAdmin[Any]
else:
    _Page = object

_SHOWN = 5  # differences in a message


class RebuildsUsage(_Page):
    """For pages of facts with an account and a period: rebuilds the period's usage, and says what was wrong."""

    def has_rebuild_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_usage.change_periodrollup")

    @confirmed_action(
        "Rebuild the period",
        question="The account's rollups and counters of this period are made again from its events. Its usage waits "
        "meanwhile; correct figures stay as they are.",
        icon="build",
        permission="rebuild",
        url_path="rebuild",
    )
    def rebuild(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(object_id)
        at, period_start = now(), self.period_of(row)
        try:
            rebuilt = rebuild_rollups(account_id=row.account_id, period_start=period_start, at=at)
        except OperationalError:
            self.message_user(request, "The account is busy. Try again in a moment.", messages.ERROR)
        else:
            _record(request, row.account_id, period_start, rebuilt, at)
            _say(self, request, rebuilt)
        return go_to(self.page_after(row))

    def period_of(self, row: Any) -> datetime:
        """The period that a row is about."""
        start: datetime = row.period_start
        return start

    def page_after(self, row: Any) -> str:
        """Where the rebuilt row can be looked at."""
        return change_url(self.model._meta.label_lower.replace(".", "_"), row.pk)


def _record(request: HttpRequest, account_id: UUID, period_start: datetime, rebuilt: Rebuilt, at: datetime) -> None:
    tenant_id = BillingAccount.objects.values_list("tenant_id", flat=True).get(id=account_id)
    record_audit(
        tenant_id=tenant_id,
        actor=Actor(user_id=request.user.pk),
        action="usage.rebuilt",
        target=encode_id("acc", account_id),
        at=at,
        detail={
            "period": period_start.isoformat(),
            "events": rebuilt.events,
            "differences": len(rebuilt.differences),
        },
    )


def _say(page: _Page, request: HttpRequest, rebuilt: Rebuilt) -> None:
    made = f"Made again from {rebuilt.events:,} {'event' if rebuilt.events == 1 else 'events'}"
    if not rebuilt.differences:
        page.message_user(request, f"{made}: nothing was wrong.", messages.SUCCESS)
        return
    for difference in rebuilt.differences[:_SHOWN]:
        page.message_user(request, difference, messages.WARNING)
    wrong = len(rebuilt.differences)
    said = f"{wrong:,} figures were wrong, and are right now" if wrong > 1 else "one figure was wrong, and is right now"
    page.message_user(request, f"{made}: {said}.", messages.WARNING)
