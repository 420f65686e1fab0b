"""Versions of plans: drafts are edited here, published ones only shown (P1)."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.plans.admin.plan import STATE_COLOURS
from billing.plans.admin.version_parts import EntitlementInline, MeterInline, PriceInline, is_draft
from billing.plans.errors import CatalogueProblem, NotPublishable
from billing.plans.models import PlanVersion
from billing.plans.services.new_draft import new_draft
from billing.plans.services.publish_version import publish_version
from tenants.staff_admin import (
    StaffAdmin,
    badge,
    change_url,
    confirmed_action,
    go_to,
    link_to_list,
)


@admin.register(PlanVersion)
class PlanVersionAdmin(StaffAdmin[PlanVersion]):
    """A version begins as a draft from its plan or from another version, and changes until it is published."""

    list_display = ("__str__", "catalogue", "state", "subscribed", "usage_funding", "currency", "published_at")
    list_select_related = ("plan",)
    list_filter = ("state", "plan__catalogue", "usage_funding", "credential_policy")
    search_fields = ("plan__name", "plan__slug", "plan__catalogue")
    search_help_text = "Plan, catalogue or id"
    id_search_fields = ("id", "plan_id")
    ordering = ("plan__catalogue", "plan__position", "-number")
    fieldsets = (
        (None, {"fields": (("plan", "number"), ("state_badge", "currency"), ("usage_funding", "credential_policy"))}),
        ("In use", {"fields": (("in_use", "published_at", "created_at"),)}),
    )
    readonly_fields = ("plan", "number", "state_badge", "in_use", "published_at", "created_at")
    inlines = (PriceInline, EntitlementInline, MeterInline)
    actions_detail = ("publish", "new_draft")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanVersion]:
        versions = super().get_queryset(request).select_related("plan")
        return versions.annotate(subscribed=Count("subscriptions"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> PlanVersion | None:
        """For an edit, under a lock: nobody publishes the draft between its parts."""
        if request.method == "POST":
            PlanVersion.objects.select_for_update().filter(id=_uuid_or_nil(object_id)).first()
        return super().get_object(request, object_id, from_field)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return (obj is None or is_draft(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and super().has_delete_permission(request, obj)

    def has_draft_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_plans.add_planversion")

    def has_publish_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """unfold passes the id of the page's object, so that the button shows on drafts alone."""
        drafts = PlanVersion.objects.filter(state=PlanVersion.State.DRAFT)
        may = request.user.has_perm("billing_plans.change_planversion")
        return may and (obj is None or drafts.filter(id=_uuid_or_nil(obj)).exists())

    @admin.display(description="Catalogue", ordering="plan__catalogue")
    def catalogue(self, version: PlanVersion) -> str:
        return version.plan.catalogue

    @badge("State", STATE_COLOURS, ordering="state")
    def state_badge(self, version: PlanVersion) -> str:
        return version.state

    @admin.display(description="Subscriptions", ordering="subscribed")
    def subscribed(self, version: PlanVersion) -> int:
        return int(vars(version)["subscribed"])

    @admin.display(description="Subscriptions")
    def in_use(self, version: PlanVersion) -> str:
        count = self.subscribed(version)
        text = f"{count} on this version" if count else "none on this version"
        return link_to_list("billing_subscriptions_subscription", text, plan_version__id__exact=version.id)

    @confirmed_action(
        "Publish",
        question="New subscriptions get this version, existing ones stay on theirs. It can never be changed again.",
        icon="publish",
        permission="publish",
        url_path="publish",
    )
    def publish(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        try:
            version = publish_version(version_id=UUID(object_id), at=now())
        except CatalogueProblem as error:
            for problem in error.problems if isinstance(error, NotPublishable) else [str(error)]:
                self.message_user(request, problem, messages.ERROR)
        else:
            self.log_change(request, version, "Published")
            self.message_user(request, f"{version} is published.", messages.SUCCESS)
        return go_to(change_url("billing_plans_planversion", object_id))

    @confirmed_action(
        "New draft from this version",
        question="Copies this version into a draft. Nothing changes for customers until it is published.",
        icon="edit_note",
        permission="draft",
        url_path="new-draft",
    )
    def new_draft(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        source = PlanVersion.objects.select_related("plan").get(id=object_id)
        draft = new_draft(plan_id=source.plan_id, source_id=source.id, at=now())
        self.log_addition(request, draft, f"Draft from {source}")
        return go_to(change_url("billing_plans_planversion", draft.id))


def _uuid_or_nil(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)
