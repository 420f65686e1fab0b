"""Plan versions in the staff admin: drafts are edited and published, published ones are sealed."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.plans.models import Entitlement, Plan, PlanVersion
from billing.plans.services.new_draft import new_draft
from tests.make import AT, make_account, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

VERSION = "admin:billing_plans_planversion"
CONFIRM = {"_form_submitted": "True"}


def make_draft(slug: str = "pro") -> PlanVersion:
    return new_draft(plan_id=Plan.objects.get(slug=slug).id, at=AT)


def published(slug: str = "pro") -> PlanVersion:
    return PlanVersion.objects.get(plan__slug=slug, state="published")


def form_of(staff: Client, version: PlanVersion) -> dict[str, Any]:
    """What a browser would send back from the version's page, unchanged."""
    context = staff.get(reverse(f"{VERSION}_change", args=[version.id])).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    return {
        bound.html_name: "" if bound.value() is None else bound.value()
        for form in forms
        for bound in form
        if bound.value() is not False
    }


def field_of(form: dict[str, Any], feature: str) -> str:
    """The name of the value's field in the row of a feature."""
    row = next(name for name, value in form.items() if value == feature)
    return row.replace("-feature", "-value")


def save(staff: Client, version: PlanVersion, form: dict[str, Any]) -> str:
    response = staff.post(reverse(f"{VERSION}_change", args=[version.id]), form)
    return response.text if response.status_code == 200 else ""


def value_of(version: PlanVersion, feature: str) -> object:
    return Entitlement.objects.get(version=version, feature=feature).value


def test_saving_a_draft_unchanged_changes_nothing(staff: Client) -> None:
    """P1, P3: every kind of value comes back from the form as it was."""
    draft = make_draft()
    before = list(draft.entitlements.order_by("feature").values("feature", "value", "per_seat", "throttle_after"))
    assert save(staff, draft, form_of(staff, draft)) == ""
    assert (
        list(draft.entitlements.order_by("feature").values("feature", "value", "per_seat", "throttle_after")) == before
    )


@pytest.mark.parametrize(
    ("feature", "text", "value"),
    [("agents_limit", "unlimited", None), ("agents_limit", "25", 25), ("channels", "webhook", ["webhook"])],
)
def test_value_of_a_draft_is_edited(feature: str, text: str, value: object, staff: Client) -> None:
    """P1, P3: staff write a value as people do, and it is stored by the feature's kind."""
    draft = make_draft()
    form = form_of(staff, draft)
    assert save(staff, draft, form | {field_of(form, feature): text}) == ""
    assert value_of(draft, feature) == value


def test_meter_takes_the_unit_of_its_product(staff: Client) -> None:
    """P3, U1: staff choose a product and its price; what it is counted in follows."""
    draft = make_draft()
    draft.meters.exclude(product="pstn").delete()
    form = form_of(staff, draft)
    row = next(name for name, value in form.items() if value == "pstn").removesuffix("product")
    assert save(staff, draft, form | {f"{row}product": "callbacks", f"{row}unit_price": "0.5"}) == ""
    assert list(draft.meters.values_list("product", "unit")) == [("callbacks", "callback")]


def test_value_that_makes_no_sense_is_refused(staff: Client) -> None:
    """P3: the form says what the feature takes."""
    draft = make_draft()
    form = form_of(staff, draft)
    page = save(staff, draft, form | {field_of(form, "agents_limit"): "many"})
    assert "Running agents takes a whole number from 0 up or “unlimited”" in page
    assert value_of(draft, "agents_limit") == 20


def test_published_version_is_sealed(staff: Client) -> None:
    """P1: the page of a published version shows, and saves nothing."""
    version = published()
    assert staff.post(reverse(f"{VERSION}_change", args=[version.id]), {"_save": "1"}).status_code == 403
    assert staff.post(reverse(f"{VERSION}_delete", args=[version.id]), {"post": "yes"}).status_code == 403


def test_draft_is_thrown_away(staff: Client) -> None:
    """P1: a draft that nobody wants leaves no trace among the versions."""
    draft = make_draft()
    staff.post(reverse(f"{VERSION}_delete", args=[draft.id]), {"post": "yes"})
    assert not PlanVersion.objects.filter(id=draft.id).exists()


def test_publish_asks_first(staff: Client) -> None:
    """P1: opening the dialog publishes nothing, confirming it does, and the former version retires."""
    former, draft = published(), make_draft()
    url = reverse("admin:billing_plans_planversion_publish", args=[draft.id])
    assert "It can never be changed again" in staff.get(url).text
    assert published() == former
    assert staff.post(url, CONFIRM)["HX-Redirect"] == reverse(f"{VERSION}_change", args=[draft.id])
    assert published() == draft


def test_draft_that_is_no_offer_is_not_published(staff: Client) -> None:
    """P2: what stands in the way is said on the page."""
    draft = make_draft()
    draft.prices.all().delete()
    staff.post(reverse("admin:billing_plans_planversion_publish", args=[draft.id]), CONFIRM)
    assert published() != draft
    assert "The monthly standard price is missing." in staff.get(reverse(f"{VERSION}_change", args=[draft.id])).text


def test_only_a_draft_has_the_button(staff: Client) -> None:
    """P1: there is nothing to publish on a published version."""
    url = reverse("admin:billing_plans_planversion_publish", args=[published().id])
    assert url not in staff.get(reverse(f"{VERSION}_change", args=[published().id])).text
    assert staff.post(url, CONFIRM).status_code == 403


@pytest.mark.parametrize("model", ["plan", "planversion"])
def test_new_draft(model: str, staff: Client) -> None:
    """P1: from the plan's page or a version's, a draft begins as a copy."""
    source = published()
    pk = source.plan_id if model == "plan" else source.id
    staff.post(reverse(f"admin:billing_plans_{model}_new_draft", args=[pk]), CONFIRM)
    draft = PlanVersion.objects.get(state="draft")
    assert draft.entitlements.count() == source.entitlements.count() > 0


def test_page_says_how_many_are_on_the_version(staff: Client) -> None:
    """F2: staff see whom a version concerns before they touch its plan."""
    make_account(make_tenant(), "pro")
    make_account(make_tenant(), "pro")
    assert "2 on this version" in staff.get(reverse(f"{VERSION}_change", args=[published().id])).text
