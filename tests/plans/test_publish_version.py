"""Drafts that staff edit, and their publication."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from billing.plans.errors import NotADraft, NotPublishable
from billing.plans.models import Entitlement, MeterPrice, Plan, PlanPrice, PlanVersion
from billing.plans.services.load_catalogue import load_catalogue
from billing.plans.services.new_draft import new_draft
from billing.plans.services.publish_version import publish_version
from tests.plans.factories import AT, LATER, make_catalogue, make_plan

pytestmark = pytest.mark.django_db


def make_draft(**plan: Any) -> PlanVersion:
    load_catalogue(catalogue=make_catalogue(make_plan(**plan)), at=AT)
    return new_draft(plan_id=Plan.objects.get().id, at=AT)


def test_draft_is_a_copy_of_the_published_version() -> None:
    """P1: staff start from what is published, and nothing of it changes."""
    draft = make_draft()
    published = PlanVersion.objects.get(state="published")
    assert (draft.number, draft.state, draft.digest, draft.published_at) == (2, "draft", "", None)
    for parts in ("prices", "entitlements", "meters"):
        copied, original = (
            [
                {name: value for name, value in row.items() if name not in {"id", "version_id"}}
                for row in getattr(version, parts).values()
            ]
            for version in (draft, published)
        )
        assert copied == original != []


def test_draft_of_an_older_version() -> None:
    """P1: staff can go back to what a retired version said."""
    draft = make_draft()
    first = PlanVersion.objects.get(number=1)
    draft.entitlements.filter(feature="agents_limit").update(value=8)
    publish_version(version_id=draft.id, at=LATER)
    again = new_draft(plan_id=first.plan_id, source_id=first.id, at=LATER)
    assert again.entitlements.get(feature="agents_limit").value == 1


def test_first_draft_of_a_plan_is_empty() -> None:
    """P1: a plan that staff made begins with an empty draft."""
    plan = Plan.objects.create(slug="own", catalogue="own", name="Own")
    draft = new_draft(plan_id=plan.id, at=AT)
    assert (draft.number, draft.currency, draft.entitlements.count()) == (1, "USD", 0)


def test_publishing_retires_the_version_before() -> None:
    """P1: one version of a plan is published at any time."""
    draft = make_draft()
    publish_version(version_id=draft.id, at=LATER)
    assert list(PlanVersion.objects.order_by("number").values_list("state", "published_at")) == [
        ("retired", AT),
        ("published", LATER),
    ]


def test_only_a_draft_is_published() -> None:
    """P1: a retired version does not come back, and a published one is not published again."""
    draft = make_draft()
    publish_version(version_id=draft.id, at=LATER)
    for number in (1, 2):
        with pytest.raises(NotADraft):
            publish_version(version_id=PlanVersion.objects.get(number=number).id, at=LATER)


def test_published_version_never_changes() -> None:
    """P1: the database refuses to change a published version and its parts, from SQL too."""
    load_catalogue(catalogue=make_catalogue(), at=AT)
    for changes in (Entitlement.objects.all(), PlanPrice.objects.all(), MeterPrice.objects.all()):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            changes.delete()
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        PlanVersion.objects.update(currency="EUR")


@pytest.mark.parametrize(
    ("feature", "change", "problem"),
    [
        ("agents_limit", {"value": -1}, "Running agents takes a whole number"),
        ("agents_limit", {"value": True}, "Running agents takes a whole number"),
        ("agents_limit", {"feature": "agents"}, "“agents” is not a known feature"),
        ("agents_limit", {"value": None, "per_seat": True}, "only a number can be multiplied by seats"),
        ("spend_cap_per_user_day", {"value": 1.5}, "takes an amount with at most two decimals"),
        ("spend_cap_per_user_day", {"value": "1.005"}, "takes an amount with at most two decimals"),
        ("channels", {"value": "webhook"}, "takes words with commas"),
        ("channels", {"value": ["a", "a"]}, "takes words with commas"),
        ("channels", {"per_seat": True}, "only a number can be multiplied by seats"),
        ("executions_per_month", {"throttle_after": 100}, "slowing is for what is counted per period"),
    ],
)
def test_values_are_held_to_their_kind(feature: str, change: dict[str, Any], problem: str) -> None:
    """P3: a value that its feature cannot have is not published."""
    draft = make_draft()
    draft.entitlements.filter(feature=feature).update(**change)
    with pytest.raises(NotPublishable, match=problem):
        publish_version(version_id=draft.id, at=LATER)
    assert PlanVersion.objects.get(id=draft.id).state == "draft"


@pytest.mark.parametrize(
    ("part", "change", "problem"),
    [
        ("meters", {"product": "fax"}, "“fax” is not a metered product"),
        ("meters", {"unit": "second"}, "counted by the minute, not by the second"),
        ("prices", {"interval": "yearly"}, "The monthly standard price is missing"),
        ("prices", {"variant": "byok"}, "A byok price is needed for each interval exactly where"),
    ],
)
def test_prices_are_held_to_the_rules_of_a_file(part: str, change: dict[str, Any], problem: str) -> None:
    """P2: a plan without a monthly price, or with a price that nothing can choose, is not published."""
    draft = make_draft()
    getattr(draft, part).update(**change)
    with pytest.raises(NotPublishable, match=problem):
        publish_version(version_id=draft.id, at=LATER)


def test_byok_plan_needs_its_switch() -> None:
    """P2, K11: only own keys, yet bringing them switched off, makes no offer."""
    draft = make_draft()
    PlanVersion.objects.filter(id=draft.id).update(credential_policy="byok_only")
    with pytest.raises(NotPublishable, match="must be on where only own keys are used"):
        publish_version(version_id=draft.id, at=LATER)


@pytest.mark.parametrize(("part", "problem"), [("entitlements", "Channels is missing"), ("meters", "pstn is missing")])
def test_what_other_plans_state_is_stated(part: str, problem: str) -> None:
    """P3: plans are compared side by side, so that a line left out would read as a promise."""
    draft = make_draft()
    getattr(draft, part).all().delete()
    with pytest.raises(NotPublishable, match=problem):
        publish_version(version_id=draft.id, at=LATER)


def test_custom_plan_is_priced_freely() -> None:
    """P2: staff may give a custom plan any price, or none."""
    draft = make_draft()
    Plan.objects.update(is_custom=True)
    draft.prices.all().delete()
    assert publish_version(version_id=draft.id, at=LATER).state == "published"
