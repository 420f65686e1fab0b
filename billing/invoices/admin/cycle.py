"""Billing cycles as staff see them, and closing one that is over at once (I1)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.timezone import now

from billing.core.ids import encode_id
from billing.invoices.models import BillingCycle
from billing.invoices.services.close_due_cycles import close_due_cycles
from tenants.services.record_audit import Actor, record_audit
from tenants.staff_admin import LargeTableAdmin, badge, change_url, confirmed_action, go_to, link, uuid_in

_CYCLE = "billing_invoices_billingcycle"
_COLOURS = {"Running": "info", "Over, waits for the payment processor's invoice": "warning", "Closed": "success"}


class TroubleFilter(admin.SimpleListFilter):
    """Cycles that could not be closed."""

    title = "closing"
    parameter_name = "closing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("failed", "Has failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BillingCycle]) -> QuerySet[BillingCycle]:
        return queryset.filter(tries__gt=0) if self.value() == "failed" else queryset


@admin.register(BillingCycle)
class BillingCycleAdmin(LargeTableAdmin[BillingCycle]):
    """What an account is invoiced by. An hour after its end a cycle is closed by itself; one that fails is tried again
    with growing waits, and holds up no other account."""

    list_display = ("starts_at", "ends_at", "belongs_to", "state_badge", "document", "due_at", "tries", "error")
    list_filter = ("state", TroubleFilter, "ends_at")
    search_fields = ("account__tenant__name", "account__tenant__slug", "invoice__number")
    search_help_text = "Tenant, number of an invoice, or the id of a cycle, account or tenant"
    id_search_fields = ("id", "account_id", "account__tenant_id")
    fields = (
        ("belongs_to", "state_badge"),
        ("starts_at", "ends_at"),
        ("document", "closed_at"),
        ("due_at", "tries"),
        "error",
    )
    readonly_fields = ("belongs_to", "state_badge", "document")
    actions_detail = ("close",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingCycle]:
        return super().get_queryset(request).select_related("account__tenant", "invoice")

    def has_close_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold passes the id of the page's object: what is over and not closed has the button."""
        if not request.user.has_perm("billing_invoices.change_billingcycle"):
            return False
        if obj is None:
            return True
        found = uuid_in(str(obj))
        over = BillingCycle.objects.filter(id=found, ends_at__lte=now()) if found else BillingCycle.objects.none()
        return over.exclude(state=BillingCycle.State.CLOSED).exists()

    @admin.display(description="Account", ordering="account_id")
    def belongs_to(self, cycle: BillingCycle) -> SafeString:
        return link("billing_subscriptions_billingaccount", cycle.account_id, cycle.account)

    @badge("State", _COLOURS, ordering="state")
    def state_badge(self, cycle: BillingCycle) -> str:
        return cycle.get_state_display()

    @admin.display(description="Invoice")
    def document(self, cycle: BillingCycle) -> str:
        invoice = getattr(cycle, "invoice", None)
        if invoice is not None:
            return link("billing_invoices_invoice", invoice.id, invoice.number)
        return "None: nothing was charged" if cycle.state == BillingCycle.State.CLOSED else "–"

    @confirmed_action(
        "Close now",
        question="Its invoice is issued at once instead of an hour after its end, and cannot be changed. A cycle that "
        "Stripe's renewal closes goes on waiting for it.",
        icon="task_alt",
        permission="close",
        url_path="close",
    )
    def close(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        cycle = BillingCycle.objects.select_related("account").get(id=object_id)
        closed = close_due_cycles(at=now(), account_id=cycle.account_id)
        cycle.refresh_from_db()
        if cycle.state == BillingCycle.State.CLOSED:
            self.log_change(request, cycle, "Closed")
            self._record(request, cycle, closed)
            self.message_user(request, "The cycle is closed.", messages.SUCCESS)
        else:
            self.message_user(request, cycle.error or f"{cycle.get_state_display()}.", messages.WARNING)
        return go_to(change_url(_CYCLE, object_id))

    def _record(self, request: HttpRequest, cycle: BillingCycle, closed: int) -> None:
        record_audit(
            tenant_id=cycle.account.tenant_id,
            actor=Actor(user_id=request.user.pk),
            action="billing_cycle.closed",
            target=encode_id("acc", cycle.account_id),
            at=now(),
            detail={"starts_at": cycle.starts_at.isoformat(), "ends_at": cycle.ends_at.isoformat(), "cycles": closed},
        )
