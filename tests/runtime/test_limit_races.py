"""Forty runs at once against each kind of limit, over connections of their own: none is ever passed."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from billing.core.ids import encode_id
from billing.core.problems import Problem
from billing.credits.services.check_ledger import check_ledger
from billing.runtime.models import Authorization, ProviderBudget, Session
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions.models import SpendControls
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.usage.models import Counter
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, finish, in_threads, money_of, start

pytestmark = pytest.mark.usefixtures("own_database")
MINUTE = timedelta(minutes=1)
MINI = {"model": "gpt-4o-mini"}  # 0.00045 dollars for a run of 1,000 in and 500 out


def limited(plan: str, **features: object) -> Customer:
    """A customer with these limits instead of the plan's; on credits with enough of them."""
    customer = make_customer(plan, balance="99" if plan == "payg" else "")
    for feature, value in features.items():
        override_entitlement(account_id=customer.account.id, feature=feature, value=value, reason="x", at=AT)
    return customer


def controlled(customer: Customer, **controls: Any) -> Customer:
    SpendControls.objects.create(account=customer.account, changed_at=AT, **controls)
    return customer


def try_to_start(customer: Customer, **changes: object) -> str:
    """The run's id, or the code of its refusal."""
    try:
        return start(customer, **changes).id
    except Problem as refusal:
        return refusal.code


class Kind(NamedTuple):
    """A limit: who has it, how many runs it admits, what refuses the others, its counter and what that may reach."""

    make: Callable[[], Customer]
    admitted: int
    code: str
    feature: str
    limit: str
    changes: Callable[[int], dict[str, object]] = lambda _number: {}


def overrun() -> Customer:
    """Three executions included, and five more at a cent each."""
    customer = limited("pro", executions_per_month=3)
    return controlled(customer, overage_enabled=True, overage_ceiling=Decimal("0.05"))


KINDS = {
    "executions": Kind(
        lambda: limited("pro", executions_per_month=7), 7, "quota-exceeded-executions", "executions_per_month", "7"
    ),
    "tokens": Kind(
        lambda: limited("payg", tokens_per_month=11_999), 7, "quota-exceeded-tokens", "tokens_per_month", "10500"
    ),
    "a user's day": Kind(
        lambda: limited("payg", spend_cap_per_user_day="0.06"),
        8, "spend-cap-exceeded", "spend_cap_per_user_day", "0.06", lambda _: {"user": "bob"},
    ),
    "the account's day": Kind(
        lambda: controlled(limited("payg"), daily_cap=Decimal("0.05")),
        6, "spend-cap-exceeded", "spend_cap_per_day", "0.045", lambda number: {"user": f"u{number}"},
    ),
    "overage": Kind(overrun, 8, "quota-exceeded-executions", "overage", "0.05"),
    "tries": Kind(
        lambda: limited("pro", sandbox_tries_per_day=9),
        9, "quota-exceeded-sandbox-tries", "sandbox_tries_per_day", "9", lambda _: {"sandbox": True},
    ),
}  # fmt: skip


def readings(customer: Customer, feature: str) -> tuple[Decimal, Decimal]:
    counter = Counter.objects.get(account_id=customer.account.id, feature=feature)
    return counter.used, counter.reserved


@pytest.mark.parametrize("name", KINDS)
def test_concurrent_requests_pass_a_budget_check(name: str) -> None:
    """Limits, P6, P8, M9: what is left admits so many of forty, and as many again as give theirs back."""
    kind = KINDS[name]
    customer = kind.make()

    def ask_at_once() -> list[str]:
        answers = in_threads(lambda number: try_to_start(customer, **kind.changes(number)), 40)
        granted = [answer for answer in answers if answer.startswith("auth_")]
        assert set(answers) - set(granted) == {kind.code}
        return granted

    granted = ask_at_once()
    assert (len(granted), readings(customer, kind.feature)) == (kind.admitted, (0, Decimal(kind.limit)))
    dearest = Authorization.objects.filter(state="open").order_by("-overage")[:2]
    back = [encode_id("auth", run.id) for run in dearest]  # past the limit, where some are
    in_threads(lambda number: abandon(customer, back[number]), 2)
    again = ask_at_once()
    assert len(again) == 2
    for run in {*granted, *again} - {*back}:
        finish(customer, run)
    assert ask_at_once() == []
    assert readings(customer, kind.feature) == (Decimal(kind.limit), 0)
    assert check_ledger(at=AT) == []


def test_what_is_past_the_limit_counts_against_the_day_too() -> None:
    """P8, M9: an execution past the limit costs 0.01 and its model usage; four of them stay within 0.05 a day."""
    customer = limited("pro", executions_per_month=0)
    controlled(customer, overage_enabled=True, overage_ceiling=Decimal(9), daily_cap=Decimal("0.05"))
    answers = in_threads(lambda _: try_to_start(customer, **MINI), 40)
    granted = [answer for answer in answers if answer.startswith("auth_")]
    assert (len(granted), set(answers) - set(granted)) == (4, {"spend-cap-exceeded"})
    in_threads(lambda number: finish(customer, granted[number]), 4)
    assert readings(customer, "spend_cap_per_day") == (Decimal("0.0418"), 0)
    assert try_to_start(customer, **MINI) == "spend-cap-exceeded"


def test_leaked_reservation_blocks_for_ever() -> None:
    """Limits: forty runs are abandoned; of credits, counters, overage, budgets and slots nothing stays taken."""
    ProviderBudget.objects.create(provider="openai", period="day", amount=Decimal("0.03"), created_at=AT)
    payer = controlled(
        limited("payg", concurrent_sessions_limit=4, tokens_per_month=9000, spend_cap_per_user_day="0.03"),
        daily_cap=Decimal("0.03"),
    )
    runner = overrun()
    started = in_threads(lambda number: try_to_start(payer, session=f"s{number}", user="bob"), 40)
    assert sum(answer.startswith("auth_") for answer in started) == 4
    ProviderBudget.objects.update(amount=Decimal(9))
    assert sum(answer.startswith("auth_") for answer in in_threads(lambda _: try_to_start(runner), 40)) == 8
    later = AT + 15 * MINUTE
    assert sum(in_threads(lambda _: expire_holds(at=later), 4, threads=4)) == 12
    assert set(Counter.objects.values_list("used", "reserved")) == {(0, 0)}
    assert money_of(payer.account) == ("99", "0", "0")
    assert {window.reserved for budget in ProviderBudget.objects.all() for window in budget.windows.all()} == {0}
    assert not Authorization.objects.filter(state="open").exists()
    over = later + 2 * MINUTE
    ProviderBudget.objects.update(amount=Decimal("0.03"))
    again = in_threads(lambda number: try_to_start_at(payer, over, session=f"t{number}", user="bob"), 40)
    assert sum(answer.startswith("auth_") for answer in again) == 4


def try_to_start_at(customer: Customer, at: Any, **changes: object) -> str:
    try:
        return start(customer, at=at, **changes).id
    except Problem as refusal:
        return refusal.code


@pytest.mark.parametrize("how", ["expired", "settled", "voided"])
def test_a_lost_sessions_run_that_ends_late_takes_no_slot_again(how: str) -> None:
    """P9: the slot of a dead holder went to another session; closing its run later makes it no second one."""
    customer = limited("payg", concurrent_sessions_limit=1)
    lost = start(customer, session="lost")
    later = AT + 16 * MINUTE
    assert try_to_start_at(customer, later, session="next").startswith("auth_")
    if how == "expired":
        assert expire_holds(at=later) == 1
    elif how == "settled":
        finish(customer, lost, at=later)
    else:
        abandon(customer, lost, at=later)
    live = Session.objects.filter(ended_at=None, lease_until__gt=later)
    assert [session.name for session in live] == ["next"]
