"""Loading plan catalogues into versions."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from billing.plans.catalogue_file import CATALOGUE_FOLDER
from billing.plans.errors import SlugTaken
from billing.plans.models import Entitlement, Plan, PlanVersion
from billing.plans.queries import published_plans
from billing.plans.services.load_catalogue import CatalogueChanges, load_catalogue
from billing.plans.services.new_draft import new_draft
from billing.plans.services.publish_version import publish_version
from tests.plans.factories import AT, LATER, make_catalogue, make_plan

pytestmark = pytest.mark.django_db


def versions(slug: str = "zero") -> list[tuple[int, str]]:
    return list(PlanVersion.objects.filter(plan__slug=slug).order_by("number").values_list("number", "state"))


def test_first_load_publishes_every_plan() -> None:
    """P1, P3: each plan gets version 1 with prices, entitlements and meters as the file has them."""
    changes = load_catalogue(catalogue=make_catalogue(), at=AT)
    assert (changes.created, changes.new_versions) == (["zero"], 1)
    version = PlanVersion.objects.get()
    assert (version.number, version.state, version.published_at, version.currency) == (1, "published", AT, "USD")
    assert {e.feature: e.value for e in version.entitlements.all()} == {
        "agents_limit": 1,
        "executions_per_month": 100,
        "spend_cap_per_user_day": "1.00",
        "channels": ["webhook", "email"],
    }
    assert [(m.product, str(m.unit_price)) for m in version.meters.all()] == [("pstn", "0.020000000")]


def test_second_load_changes_nothing() -> None:
    """P1: loading is idempotent."""
    load_catalogue(catalogue=make_catalogue(), at=AT)
    assert load_catalogue(catalogue=make_catalogue(), at=LATER) == CatalogueChanges(unchanged=["zero"])
    assert versions() == [(1, "published")]


def test_changed_plan_gets_a_new_version() -> None:
    """P1: the published version stays as it was and is retired; the new one takes its place."""
    load_catalogue(catalogue=make_catalogue(), at=AT)
    changes = load_catalogue(catalogue=make_catalogue(make_plan(agents=None)), at=LATER)
    assert changes.updated == ["zero"]
    assert versions() == [(1, "retired"), (2, "published")]
    agents = Entitlement.objects.filter(feature="agents_limit").order_by("version__number")
    assert list(agents.values_list("value", flat=True)) == [1, None]


def test_staff_version_survives_a_reload() -> None:
    """P1: what staff published is not undone by loading the same file again, but by a file that says something new."""
    load_catalogue(catalogue=make_catalogue(), at=AT)
    draft = new_draft(plan_id=Plan.objects.get().id, at=AT)
    publish_version(version_id=draft.id, at=AT)
    assert load_catalogue(catalogue=make_catalogue(), at=LATER).unchanged == ["zero"]
    assert versions() == [(1, "retired"), (2, "published")]
    load_catalogue(catalogue=make_catalogue(make_plan(agents=5)), at=LATER)
    assert versions() == [(1, "retired"), (2, "retired"), (3, "published")]


def test_default_moves_to_another_plan() -> None:
    """P1: a catalogue has one default at any time, whichever way it moves."""
    one = replace(make_plan("one"), position=2, default=False)
    load_catalogue(catalogue=make_catalogue(make_plan(), one), at=AT)
    moved = (replace(make_plan(), default=False), replace(one, default=True))
    load_catalogue(catalogue=make_catalogue(*moved), at=LATER)
    assert list(Plan.objects.filter(is_default=True).values_list("slug", flat=True)) == ["one"]


def test_plan_that_left_the_file_is_reported() -> None:
    """P1: a plan is never withdrawn in silence."""
    load_catalogue(catalogue=make_catalogue(make_plan(), replace(make_plan("one", price="5.00"), position=2)), at=AT)
    assert load_catalogue(catalogue=make_catalogue(), at=LATER).absent == ["one"]
    assert versions("one") == [(1, "published")]


def test_slug_of_another_catalogue_is_refused() -> None:
    """P1: a file cannot take over another catalogue's plan."""
    load_catalogue(catalogue=make_catalogue(), at=AT)
    with pytest.raises(SlugTaken, match="belongs to the catalogue “small”"):
        load_catalogue(catalogue=make_catalogue(make_plan(agents=9), slug="other"), at=LATER)
    assert versions() == [(1, "published")]


def test_command_loads_the_shipped_catalogues_once() -> None:
    """P1, P4: `load_catalog` without files loads all four; again, it says that nothing changed."""
    first, second = StringIO(), StringIO()
    call_command("load_catalog", stdout=first)
    call_command("load_catalog", stdout=second)
    assert "tiers: 4 created, 0 updated, 4 new versions, 0 unchanged" in first.getvalue()
    assert "tiers: 0 created, 0 updated, 0 new versions, 4 unchanged" in second.getvalue()
    assert PlanVersion.objects.count() == Plan.objects.count() == 10


def test_command_takes_a_file(tmp_path: Path) -> None:
    """P1: `load_catalog FILE` loads that file alone, and a file with a mistake loads nothing."""
    text = (CATALOGUE_FOLDER / "tokens.toml").read_text()
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(text)
    bad.write_text(text.replace('"starter"', '"Starter!"'))
    with pytest.raises(CommandError, match=r"bad\.toml"):
        call_command("load_catalog", str(good), str(bad), stdout=StringIO())
    assert not Plan.objects.exists()
    call_command("load_catalog", str(good), stdout=StringIO())
    assert set(Plan.objects.values_list("slug", flat=True)) == {"starter", "developer"}


def test_published_plans_in_four_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P1: the catalogue is read with a number of queries that does not grow with it."""
    call_command("load_catalog", stdout=StringIO())
    with django_assert_num_queries(4):
        read = [(v.plan.slug, *v.prices.all(), *v.entitlements.all(), *v.meters.all()) for v in published_plans()]
    assert [row[0] for row in read][:4] == ["payg", "platform-starter", "platform-growth", "platform-scale"]
