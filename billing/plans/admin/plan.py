"""Plans: what their versions share."""

from django.contrib import admin
from django.db.models import Count, Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.plans.models import Plan, PlanVersion
from billing.plans.services.new_draft import new_draft
from tenants.staff_admin import ReadOnlyInline, StaffAdmin, badge, change_url, confirmed_action, go_to

STATE_COLOURS = {"draft": "warning", "published": "success", "retired": "default"}


class VersionInline(ReadOnlyInline[PlanVersion, Plan]):
    model = PlanVersion
    fields = ("number", "state", "currency", "subscribed", "published_at")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanVersion]:
        versions = super().get_queryset(request).select_related("plan")
        return versions.annotate(subscribed=Count("subscriptions")).order_by("-number")

    @admin.display(description="Subscriptions")
    def subscribed(self, version: PlanVersion) -> int:
        return int(vars(version)["subscribed"])


@admin.register(Plan)
class PlanAdmin(StaffAdmin[Plan]):
    """A plan is never deleted once it has a version: subscriptions name it."""

    list_display = ("name", "slug", "catalogue", "position", "published", "is_public", "is_custom", "is_default")
    list_filter = ("catalogue", "is_public", "is_custom")
    search_fields = ("name", "slug", "catalogue")
    search_help_text = "Name, slug, catalogue or id"
    fields = (
        ("name", "slug"),
        ("catalogue", "position"),
        "description",
        ("is_public", "is_custom", "is_default"),
    )
    inlines = (VersionInline,)
    actions_detail = ("new_draft",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        published = PlanVersion.objects.filter(state=PlanVersion.State.PUBLISHED)
        return super().get_queryset(request).prefetch_related(Prefetch("versions", published, "published_versions"))

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        return () if obj is None else ("slug", "catalogue")

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return False

    def has_draft_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_plans.add_planversion")

    @badge("Published", {})
    def published(self, plan: Plan) -> str | None:
        versions = vars(plan)["published_versions"]
        return f"v{versions[0].number}" if versions else None

    @confirmed_action(
        "New draft",
        question="Copies the published version into a draft, or begins an empty one. Nothing changes for customers.",
        icon="edit_note",
        permission="draft",
        url_path="new-draft",
    )
    def new_draft(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        plan = Plan.objects.get(id=object_id)
        draft = new_draft(plan_id=plan.id, at=now())
        self.log_addition(request, plan, f"Draft {draft} from the published version")
        return go_to(change_url("billing_plans_planversion", draft.id))
