"""Loading and publishing by several processes at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from billing.plans.errors import NotADraft
from billing.plans.models import ModelPrice, Plan, PlanVersion
from billing.plans.services.load_catalogue import load_catalogue
from billing.plans.services.load_price_list import load_price_list
from billing.plans.services.new_draft import new_draft
from billing.plans.services.publish_version import publish_version
from tests.plans.factories import AT, LATER, make_catalogue, make_model, make_plan, make_price_list

pytestmark = pytest.mark.usefixtures("own_database")

Result = TypeVar("Result")


def at_once(work: Callable[[], Result], times: int = 4) -> list[Result]:
    def run(_number: int) -> Result:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_catalogue_loaded_at_once_makes_one_version() -> None:
    """P1: several deployments may load the same catalogue at the same time."""
    changes = at_once(lambda: load_catalogue(catalogue=make_catalogue(make_plan(agents=7)), at=LATER))
    assert sorted(len(change.created) for change in changes) == [0, 0, 0, 1]
    assert [version.state for version in PlanVersion.objects.filter(plan__slug="zero")] == ["published"]


def test_price_list_loaded_at_once_makes_one_price() -> None:
    """R1: several deployments may load the same price list at the same time."""
    load_price_list(price_list=make_price_list(), at=AT)
    changes = at_once(lambda: load_price_list(price_list=make_price_list(make_model(rate="3.00")), at=LATER))
    assert sorted(len(change.repriced) for change in changes) == [0, 0, 0, 1]
    assert ModelPrice.objects.filter(model__name="acme-1").count() == 2


def test_drafts_made_at_once_have_numbers_of_their_own() -> None:
    """P1: two of the staff may begin a draft at the same moment."""
    plan = Plan.objects.get(slug="pro")
    assert sorted(draft.number for draft in at_once(lambda: new_draft(plan_id=plan.id, at=LATER))) == [2, 3, 4, 5]


def test_draft_published_at_once_is_published_once() -> None:
    """P1: of two clicks on Publish one is refused."""
    draft = new_draft(plan_id=Plan.objects.get(slug="pro").id, at=LATER)

    def publish() -> bool:
        try:
            publish_version(version_id=draft.id, at=LATER)
        except NotADraft:
            return False
        return True

    assert sorted(at_once(publish)) == [False, False, False, True]
    assert PlanVersion.objects.get(plan__slug="pro", state="published").number == 2
