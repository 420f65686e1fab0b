"""Budgets of the platform's own keys: what runs reserve of them, spend and give back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.core.problems import Problem
from billing.credits.models import Transfer
from billing.plans.models import Model
from billing.runtime.models import Authorization, BudgetWindow, ProviderBudget
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.usage.models import Counter
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, finish, money_of, start
from tests.runtime.own_keys import own_key

pytestmark = pytest.mark.usefixtures("catalogue")
LATER = AT + timedelta(minutes=15)
ANTHROPIC = {"provider": "anthropic", "model": "claude-haiku-4-5"}


def make_budget(amount: str, *, provider: str = "openai", period: str = "month") -> ProviderBudget:
    return ProviderBudget.objects.create(provider=provider, period=period, amount=Decimal(amount), created_at=AT)


def windows() -> list[tuple[str, str, str, str]]:
    """Period, start, spent and reserved of each window, the oldest first."""
    rows = BudgetWindow.objects.select_related("budget").order_by("window_start", "budget__period")
    return [
        (row.budget.period, f"{row.window_start:%m-%d}", f"{row.spent.normalize():f}", f"{row.reserved.normalize():f}")
        for row in rows
    ]


def refusal(customer: Customer, **changes: object) -> Problem:
    with pytest.raises(Problem) as refused:
        start(customer, **changes)
    return refused.value


def test_runs_reserve_spend_and_give_back() -> None:
    """K12: the most that a run can cost is reserved, what it did cost spent; a void or an expiry gives all back."""
    make_budget("1")
    customer = make_customer(balance="1")
    runs = [start(customer) for _ in range(3)]
    assert windows() == [("month", "03-01", "0", "0.0225")]
    finish(customer, runs[0], 400, 100)
    assert windows() == [("month", "03-01", "0.002", "0.015")]
    abandon(customer, runs[1])
    assert windows() == [("month", "03-01", "0.002", "0.0075")]
    expire_holds(at=LATER)
    assert windows() == [("month", "03-01", "0.002", "0")]


def test_not_a_cent_more_than_the_budget() -> None:
    """K12: four runs of 0.0075 dollars fill three cents; the fifth is refused until the month ends, and told so."""
    make_budget("0.03")
    customer = make_customer(balance="1")
    runs = [start(customer) for _ in range(4)]
    refused = refusal(customer)
    assert (refused.code, refused.status) == ("platform-budget-exhausted", 503)
    assert refused.retry_after == (21 * 24 + 12) * 3600
    assert "0.03" not in refused.detail
    assert start(customer, **ANTHROPIC).state == "open"
    finish(customer, runs[0], 400, 100)
    assert start(customer, input_tokens=400, max_output_tokens=450).state == "open"
    assert refusal(customer, input_tokens=1, max_output_tokens=0).code == "platform-budget-exhausted"
    assert start(customer, at=datetime(2026, 4, 1, tzinfo=UTC)).state == "open"


def test_day_and_month_both_hold() -> None:
    """K12: a run reserves in each window that its provider has; a UTC day is over at midnight."""
    make_budget("0.01", period="day")
    make_budget("0.02", period="month")
    customer = make_customer(balance="1")
    finish(customer, start(customer))
    assert refusal(customer).retry_after == 12 * 3600
    tomorrow = datetime(2026, 3, 11, tzinfo=UTC)
    run = start(customer, at=tomorrow)
    assert windows() == [
        ("month", "03-01", "0.0075", "0.0075"), ("day", "03-10", "0.0075", "0"), ("day", "03-11", "0", "0.0075"),
    ]  # fmt: skip
    assert refusal(customer, at=datetime(2026, 3, 12, tzinfo=UTC)).code == "platform-budget-exhausted"
    finish(customer, run, at=datetime(2026, 3, 12, tzinfo=UTC))
    assert windows()[2] == ("day", "03-11", "0.0075", "0")


@pytest.mark.parametrize("how", ["expired", "voided"])
def test_run_that_ends_after_its_reservation_counts_as_spent(how: str) -> None:
    """K12: late figures are spent all the same, once, and take no other run's reservation with them."""
    make_budget("1")
    customer = make_customer(balance="1")
    run = start(customer)
    if how == "expired":
        expire_holds(at=LATER)
    else:
        abandon(customer, run)
    start(customer, at=LATER)
    first = finish(customer, run, at=LATER)
    assert finish(customer, run, at=LATER) == first
    assert windows() == [("month", "03-01", "0.0075", "0.0075")]


def test_more_than_was_reserved_is_spent() -> None:
    """K12: what ran is spent, above its reservation and above the budget too."""
    make_budget("0.01")
    customer = make_customer(balance="1")
    finish(customer, start(customer), 1000, 2000)
    assert windows() == [("month", "03-01", "0.0225", "0")]
    assert refusal(customer, input_tokens=1, max_output_tokens=0).code == "platform-budget-exhausted"


def test_leaked_reservation_blocks_for_ever() -> None:
    """Limits: what an abandoned run reserved of a budget is there again once the run has expired."""
    make_budget("0.01")
    customer = make_customer(balance="1")
    start(customer)
    assert refusal(customer).code == "platform-budget-exhausted"
    expire_holds(at=LATER)
    assert start(customer, at=LATER).state == "open"


def test_hold_without_entitlement() -> None:
    """Limits: a run that the platform's budget refuses holds nothing, counts nothing and reserves nothing."""
    make_budget("0.01", period="day")
    make_budget("0", period="month")
    customer = make_customer("payg", balance="1")
    assert refusal(customer, user="bob").code == "platform-budget-exhausted"
    assert {(spent, reserved) for _, _, spent, reserved in windows()} == {("0", "0")}
    assert money_of(customer.account) == ("1", "0", "0")
    assert not Authorization.objects.exists()
    assert not Transfer.objects.filter(phase="pending").exists()
    assert not Counter.objects.exclude(reserved=0).exists()


def test_run_that_funds_refuse_reserves_nothing() -> None:
    """K12: the other way round, a run without credits takes nothing of a budget."""
    make_budget("1")
    assert refusal(make_customer()).code == "insufficient-credits"
    assert windows() == [("month", "03-01", "0", "0")]


def test_own_keys_take_nothing_of_a_budget(vault: object) -> None:
    """K12, U7: the platform's budget is for its own keys; one that is used up stops no run on a tenant's."""
    make_budget("0")
    customer = make_customer()
    own_key(customer)
    finish(customer, start(customer))
    assert windows() == []


def test_without_a_budget_nothing_is_shared() -> None:
    """K12: providers without a budget have no row that runs would wait for."""
    make_budget("1", provider="groq")
    customer = make_customer(balance="1")
    finish(customer, start(customer))
    assert windows() == []


def test_plan_that_includes_usage_spends_too() -> None:
    """K12: who pays us plays no part in what the platform pays."""
    make_budget("1")
    customer = make_customer("pro")
    run = start(customer)
    assert windows() == [("month", "03-01", "0", "0.0075")]
    finish(customer, run)
    assert windows() == [("month", "03-01", "0.0075", "0")]


def test_tier_leaves_a_used_up_provider_out() -> None:
    """K12, R2: a tier goes to the next provider, as long as there is one; a retry is answered with the first."""
    customer = make_customer(balance="9")
    override_entitlement(account_id=customer.account.id, feature="denied_models", value=["*:free"], reason="x", at=AT)
    tier = {"provider": None, "model": None, "recommended_model_tier": "heavy"}
    first = start(customer, **tier, idempotency_key="k")
    seen = [first.provider]
    for _ in range(2):
        make_budget("0", provider=seen[-1])
        seen.append(start(customer, **tier).provider)
    assert len(set(seen)) == 3
    for provider in set(Model.objects.filter(tier="heavy").values_list("provider", flat=True)) - set(seen[:2]):
        make_budget("0", provider=provider)
    refused = refusal(customer, **tier)
    assert (refused.code, refused.retry_after) == ("platform-budget-exhausted", (21 * 24 + 12) * 3600)
    assert start(customer, **tier, idempotency_key="k") == first


def test_retry_is_answered_though_the_budget_is_used_up() -> None:
    """M2: the first answer stands, whatever the platform has spent since."""
    customer = make_customer(balance="1")
    first = start(customer, idempotency_key="k")
    make_budget("0")
    assert start(customer, idempotency_key="k") == first
    assert refusal(customer).code == "platform-budget-exhausted"


def test_budget_that_is_taken_away_leaves_its_runs_alone() -> None:
    """K12: runs that reserved in it are settled as ever."""
    budget = make_budget("1")
    customer = make_customer(balance="1")
    run = start(customer)
    budget.delete()
    assert finish(customer, run).charged == "0.007500000"
