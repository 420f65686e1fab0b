"""Plans as customers compare them (P2, P4)."""

from decimal import Decimal

import pytest

from billing.console.pages.comparison import compare, differences
from billing.console.pages.plan_cards import PlanCard, best_saving, plan_card
from billing.plans.queries import published_plans

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def cards() -> dict[str, PlanCard]:
    return {version.plan.slug: plan_card(version, []) for version in published_plans()}


def offered(card: PlanCard) -> list[str]:
    return [cell.price.terms if cell.price else "" for cell in card.cells]


def test_cells_are_what_the_switches_choose_among() -> None:
    """P2: a plan for nothing, or on own keys only, has one price; what is not offered has none."""
    plans = cards()
    assert offered(plans["pro"]) == ["monthly-standard", "monthly-byok", "yearly-standard", "yearly-byok"]
    assert offered(plans["free"]) == ["monthly-standard", "monthly-byok"] * 2
    assert offered(plans["platform-growth"]) == ["monthly-standard"] * 2 + ["yearly-standard"] * 2
    assert offered(plans["developer"]) == ["monthly-standard", "", "", ""]
    assert plans["enterprise"].cells[0].price is None


def test_savings() -> None:
    """P2: against twelve months, and against the platform's keys."""
    prices = {price.terms: (price.yearly_saving, price.own_keys_saving) for price in cards()["pro"].prices}
    assert prices == {
        "monthly-standard": (0, 0),
        "monthly-byok": (0, Decimal(4)),
        "yearly-standard": (Decimal(18), 0),
        "yearly-byok": (Decimal(10), Decimal(40)),
    }


def test_best_savings_never_promise_more() -> None:
    """P2: two months of twelve are 16 %, not 17."""
    plans = cards().values()
    assert best_saving(plans, lambda price: price.yearly_percent) == 16
    assert best_saving(plans, lambda price: price.own_keys_percent) == 44
    assert best_saving([], lambda price: price.yearly_percent) == 0


def test_comparison_has_a_value_for_every_plan() -> None:
    """P4: features in rows, plans in columns."""
    plans = cards()
    table = compare([plans["free"], plans["pro"], plans["team"]])
    rows = {row.label: row.values for row in [*table.features, *table.meters]}
    assert table.columns == ["Free", "Pro", "Team"]
    assert rows["Running agents"] == ["3", "20", "Unlimited"]
    assert rows["Phone calls"] == ["$0.02 per minute", "$0.018 per minute", "$0.016 per minute"]
    assert {len(values) for values in rows.values()} == {3}


def test_what_a_plan_does_not_speak_of() -> None:
    """P3: a limit that is not set is none; what is not metered has no price."""
    plans = cards()
    table = compare([plans["payg"], plans["free"]])
    rows = {row.label: row.values for row in [*table.features, *table.meters]}
    assert rows["Sandbox tries per day"] == ["Unlimited", "5"]
    assert rows["Executions past the limit"] == ["—", "$0.02 per execution"]
    assert "Tokens per month" not in [row.label for row in differences(plans["payg"], plans["free"]).features]


def test_differences_leave_out_what_stays() -> None:
    """P10: only what a change of plan changes."""
    plans = cards()
    labels = [row.label for row in differences(plans["free"], plans["pro"]).features]
    assert "Running agents" in labels
    assert "Bring your own key" not in labels
