"""The drift report: what Stripe has against what we have, and taking over what Stripe says (S5)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import stripe
from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now

from billing.stripe_sync.client import StripeNotConfigured
from billing.stripe_sync.differences import ARREARS
from billing.stripe_sync.errors import told
from billing.stripe_sync.models import DriftFinding, StripeCustomer
from billing.stripe_sync.services.collect_arrears import NothingToCollect, collect_arrears
from billing.stripe_sync.services.find_catalogue_drift import find_catalogue_drift
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.repair_drift import repair_drift
from billing.stripe_sync.tasks import compare_with_stripe
from tenants.services.record_audit import Actor
from tenants.staff_admin import ReadOnlyAdmin, badge, change_url, confirmed_action, go_to, link, show_amount

_FINDING = "billing_stripe_sync_driftfinding"
_MOST_AT_ONCE = 50  # customers, within a request
_STATE_COLOURS = {"open": "danger", "repaired": "success"}


@admin.register(DriftFinding)
class DriftFindingAdmin(ReadOnlyAdmin[DriftFinding]):
    """One row a difference, from when it was found until it was gone."""

    list_display = ("found_at", "kind", "object_id", "field", "theirs", "ours", "account_link", "state", "seen_at")
    list_select_related = ("account__tenant",)
    list_filter = (("repaired_at", admin.EmptyFieldListFilter), "kind", "found_at")
    search_fields = ("object_id", "account__tenant__name", "account__tenant__slug")
    search_help_text = "Id at Stripe, tenant, or the id of a finding, account or tenant"
    id_search_fields = ("id", "account_id", "account__tenant_id")
    ordering = ("-found_at", "-id")
    fields = (
        ("kind", "object_id", "field"),
        ("theirs", "ours"),
        "account_link",
        ("found_at", "seen_at", "repaired_at"),
    )
    readonly_fields = ("account_link",)
    actions_list = ("look_now", "repair_all")
    actions_detail = ("look", "repair", "invoice_arrears")

    def has_repair_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_stripe_sync.change_driftfinding")

    @badge("State", _STATE_COLOURS)
    def state(self, finding: DriftFinding) -> str:
        return "open" if finding.repaired_at is None else "repaired"

    @admin.display(description="Account")
    def account_link(self, finding: DriftFinding) -> str:
        account = finding.account
        return link("billing_subscriptions_billingaccount", account.pk, account) if account else "The catalogue"

    @confirmed_action(
        "Look now",
        question="Every customer and the catalogue are compared with Stripe now. Nothing is changed.",
        icon="search",
        permission="repair",
        url_path="look-now",
    )
    def look_now(self, request: HttpRequest, _form: Form) -> HttpResponse:
        return self._run_all(request, repair=False)

    @confirmed_action(
        "Repair all",
        question="Every customer is compared with Stripe now, and what differs is taken over from there.",
        icon="build",
        permission="repair",
        url_path="repair-all",
    )
    def repair_all(self, request: HttpRequest, _form: Form) -> HttpResponse:
        return self._run_all(request, repair=True)

    @confirmed_action(
        "Look again",
        question="This account, or the catalogue, is compared with Stripe now. Nothing is changed.",
        icon="search",
        permission="repair",
        url_path="look",
    )
    def look(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        return self._run(request, object_id, _look)

    @confirmed_action(
        "Repair",
        question="We take over what Stripe has of this account; a price of the catalogue is put right at Stripe.",
        icon="build",
        permission="repair",
        url_path="repair",
    )
    def repair(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        return self._run(request, object_id, _repair)

    @confirmed_action(
        "Invoice what is owed…",
        question="The amount owed that this page shows, on no invoice so far, is put on an invoice of its own at Stripe"
        " and charged to the customer's card now. Only for a finding of usage that nobody bills.",
        icon="receipt_long",
        permission="repair",
        url_path="invoice-arrears",
    )
    def invoice_arrears(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        finding = DriftFinding.objects.get(id=object_id)
        try:
            said = _collect(finding, request)
        except (StripeNotConfigured, stripe.StripeError) as error:
            self.message_user(request, f"Stripe did not answer as it should: {told(error)}", messages.ERROR)
        except NothingToCollect as error:
            self.message_user(request, f"Nothing was invoiced. {error}", messages.WARNING)
        else:
            self.log_change(request, finding, said)
            self.message_user(request, said, messages.SUCCESS)
        return go_to(change_url(_FINDING, object_id))

    def _run(
        self, request: HttpRequest, object_id: str, work: Callable[[UUID | None, datetime], Sequence[DriftFinding]]
    ) -> HttpResponse:
        finding = DriftFinding.objects.get(id=object_id)
        try:
            left = work(finding.account_id, now())
        except (StripeNotConfigured, stripe.StripeError) as error:
            self.message_user(request, f"Stripe did not answer as it should: {told(error)}", messages.ERROR)
        else:
            self.log_change(request, finding, f"Compared with Stripe: {len(left)} differences")
            self.message_user(
                request, f"{len(left)} differences are open.", messages.INFO if left else messages.SUCCESS
            )
        return go_to(change_url(_FINDING, object_id))

    def _run_all(self, request: HttpRequest, *, repair: bool) -> HttpResponse:
        if StripeCustomer.objects.count() > _MOST_AT_ONCE:
            compare_with_stripe.delay(repair=repair)
            self.message_user(request, "There are many customers: a worker compares them. Look again in a while.")
            return go_to(reverse(f"admin:{_FINDING}_changelist"))
        try:
            result = reconcile(at=now(), repair=repair)
        except (StripeNotConfigured, stripe.StripeError) as error:
            self.message_user(request, f"Stripe did not answer as it should: {told(error)}", messages.ERROR)
        else:
            text = f"{result.accounts} customers compared, {result.drifted} differed"
            self.message_user(request, f"{text}, {result.repaired} repaired." if repair else f"{text}.", messages.INFO)
        return go_to(reverse(f"admin:{_FINDING}_changelist"))


def _collect(finding: DriftFinding, request: HttpRequest) -> str:
    """Charge what the page shows, or say that it has changed; answers what came of it."""
    if finding.kind != ARREARS or finding.account is None:
        raise NothingToCollect("This finding is not about usage that nobody bills.")
    account = finding.account
    fresh = find_drift(account_id=account.id, at=now())
    if not any(row.id == finding.id and row.ours == finding.ours for row in fresh):
        raise NothingToCollect("The amount has changed meanwhile: look at this page again.")
    row = collect_arrears(account_id=account.id, actor=Actor(user_id=request.user.pk), at=now())
    find_drift(account_id=account.id, at=now())
    state = row.get_state_display().lower()
    return f"Invoice {row.invoice_id} over {show_amount(row.amount)} {account.currency}: {state}."


def _look(account_id: UUID | None, at: datetime) -> list[DriftFinding]:
    return find_catalogue_drift(at=at) if account_id is None else find_drift(account_id=account_id, at=at)


def _repair(account_id: UUID | None, at: datetime) -> list[DriftFinding]:
    if account_id is not None:
        return repair_drift(account_id=account_id, at=at)
    push_catalogue(at=at)
    return find_catalogue_drift(at=at)
