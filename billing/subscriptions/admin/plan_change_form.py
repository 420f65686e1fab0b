"""What staff choose when they change an account's plan, and what the change does."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from billing.plans.models import PlanPrice, PlanVersion
from billing.subscriptions.admin.plan_change import plan_change
from billing.subscriptions.errors import NoActivePlan, UnknownPlan
from billing.subscriptions.queries import offered_version, subscription_at
from tenants.staff_dialogs import DialogForm


def plan_choices() -> list[tuple[str, str]]:
    """Every plan that has a published version, by catalogue."""
    published = PlanVersion.objects.filter(state=PlanVersion.State.PUBLISHED).select_related("plan")
    ordered = published.order_by("plan__catalogue", "plan__position", "plan__slug")
    return [(version.plan.slug, f"{version} ({version.plan.catalogue})") for version in ordered]


class PlanChangeForm(DialogForm):
    """Is valid once it is sent again with what it has shown: `shown` names the choice that the table is of."""

    form_after_template = "admin/dialog/plan_change.html"

    plan = forms.ChoiceField(choices=plan_choices, widget=UnfoldAdminSelectWidget)
    interval = forms.TypedChoiceField(
        choices=PlanPrice.Interval.choices, coerce=PlanPrice.Interval, widget=UnfoldAdminSelectWidget
    )
    variant = forms.TypedChoiceField(
        choices=PlanPrice.Variant.choices, coerce=PlanPrice.Variant, widget=UnfoldAdminSelectWidget
    )
    seats = forms.IntegerField(min_value=1, max_value=100_000, initial=1, widget=UnfoldAdminIntegerFieldWidget)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes: dict[str, Any] | None = None
        try:
            current = subscription_at(UUID(self.object_id), now())
        except (NoActivePlan, ValueError):
            return
        self.initial["plan"] = current.plan_version.plan.slug
        for name in ("interval", "variant", "seats"):
            self.initial[name] = getattr(current, name)

    def is_valid(self) -> bool:
        return super().is_valid() and self._is_shown()

    def get_after_template_context(self, request: Any, object_id: str | None = None) -> dict[str, Any]:
        return {"form": self}

    def terms(self) -> dict[str, Any]:
        """As the service takes them."""
        chosen = self.cleaned_data
        return {
            "plan_slug": chosen["plan"],
            "interval": chosen["interval"],
            "variant": chosen["variant"],
            "seats": chosen["seats"],
        }

    def _is_shown(self) -> bool:
        """Whether this very choice has been shown; if not, it is shown now."""
        terms = self.terms()
        seats = terms.pop("seats")
        try:
            version = offered_version(**terms)
        except UnknownPlan as error:
            self.add_error(None, str(error))
            return False
        choice = f"{version.id} {terms['interval']} {terms['variant']} {seats}"
        if self.cleaned_data["shown"] == choice:
            return True
        self.data = dict(self.data.items()) | {"shown": choice}
        self.changes = plan_change(
            account_id=UUID(self.object_id),
            version=version,
            interval=terms["interval"],
            variant=terms["variant"],
            seats=seats,
            at=now(),
        )
        return False
