"""What a day may cost an account, and each of its users: the plan's caps and the customer's own."""

from datetime import timedelta

import pytest

from billing.core.problems import Problem
from billing.subscriptions.services.override_entitlement import override_entitlement
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, event, finish, in_threads, report, start
from tests.runtime.limits import control, counted, refusal, use_up

NOON_TO_MIDNIGHT = 12 * 3600
MIDNIGHT = AT + timedelta(hours=12)


@pytest.mark.usefixtures("catalogue")
class TestOneByOne:
    def test_own_cap_of_the_account(self) -> None:
        """M9: what running ones may cost counts, over all users; the refusal says whose cap it is and what to do."""
        customer = make_customer("payg", balance="10")
        control(customer, daily_cap="0.02")
        runs = [start(customer, user=user) for user in ("bob", "")]
        refused = refusal(customer, user="eve")
        assert (refused.code, refused.status, refused.limit_source) == ("spend-cap-exceeded", 402, "cap")
        assert "Spend cap per day: 0.015 of 0.02 used until 2026-03-11 00:00 UTC" in refused.detail
        assert refused.remedy is not None
        assert refused.remedy.startswith("Raise or lift the cap in the account's spend controls")
        assert refused.retry_after == NOON_TO_MIDNIGHT
        abandon(customer, runs[0])
        assert start(customer).state == "open"
        assert counted(customer, "spend_cap_per_day") == "0+0.015"

    def test_a_day_is_utc(self) -> None:
        """M9: at midnight UTC, wherever the tenant is, the next day's allowance begins; Retry-After says when."""
        customer = make_customer("payg", balance="10")
        customer.tenant.timezone = "Asia/Tokyo"
        customer.tenant.save()
        control(customer, daily_cap="0.01")
        start(customer)
        second = timedelta(seconds=1)
        assert refusal(customer, at=MIDNIGHT - second).retry_after == 1
        assert start(customer, at=MIDNIGHT).state == "open"
        assert refusal(customer, at=MIDNIGHT + second).retry_after == 24 * 3600 - 1

    def test_own_cap_of_each_user(self) -> None:
        """M9: another user is not touched, nor is a run that names none."""
        customer = make_customer("payg", balance="10")
        control(customer, user_daily_cap="0.01")
        start(customer, user="bob")
        refused = refusal(customer, user="bob")
        assert (refused.limit_source, refused.retry_after) == ("cap", NOON_TO_MIDNIGHT)
        assert [start(customer, user=user).state for user in ("eve", "")] == ["open", "open"]

    @pytest.mark.parametrize(("own", "used", "source"), [("0.50", "0.49", "cap"), ("2.00", "0.99", "plan:free")])
    def test_lower_one_of_plan_and_customer(self, own: str, used: str, source: str) -> None:
        """M9: an own cap below the plan's dollar holds, one above it lifts nothing."""
        customer = make_customer("free")
        control(customer, user_daily_cap=own)
        use_up(customer, "spend_cap_per_user_day", used, subject="bob")
        request = {"model": "gpt-4o-mini", "user": "bob", "input_tokens": 20_000, "max_output_tokens": 20_000}
        assert refusal(customer, **request).limit_source == source

    def test_staffs_exception_and_own_cap(self) -> None:
        """M9, P3: staff lift the plan's cap, not the customer's own."""
        customer = make_customer("free")
        override_entitlement(
            account_id=customer.account.id, feature="spend_cap_per_user_day", value="50.00", reason="deal", at=AT
        )
        control(customer, user_daily_cap="0.00")
        assert refusal(customer, model="gpt-4o-mini", user="bob").limit_source == "cap"

    def test_cap_of_nothing_stops_everything(self) -> None:
        """M9: the brake: no run, until the cap is raised, which holds at once."""
        customer = make_customer("payg", balance="10")
        control(customer, daily_cap="0.00")
        assert refusal(customer).limit_source == "cap"
        control(customer, daily_cap="1.00")
        assert start(customer).state == "open"

    def test_usage_that_is_reported_counts(self) -> None:
        """M9, U1: what happened is never refused, but is part of the day that it happened on."""
        customer = make_customer("payg", balance="10")
        control(customer, daily_cap="1.80")
        report(customer, event(product="pstn", quantity="100"))
        assert counted(customer, "spend_cap_per_day") == "1.8+0"
        assert refusal(customer).limit_source == "cap"
        late = event(product="pstn", quantity="1", occurred_at=AT.isoformat())
        report(customer, late, at=MIDNIGHT)
        assert start(customer, at=MIDNIGHT).state == "open"


def try_to_start(customer: Customer, **changes: object) -> str:
    try:
        return start(customer, **changes).id
    except Problem as refusal:
        return refusal.limit_source or refusal.code


@pytest.mark.usefixtures("own_database")
def test_fifty_at_once_do_not_pass_the_days_cap() -> None:
    """M9: a cap of ten runs admits ten of fifty that ask on connections of their own."""
    customer = make_customer("payg", balance="10")
    control(customer, daily_cap="0.08")
    answers = in_threads(lambda number: try_to_start(customer, user=f"user-{number}"), 50)
    granted = [answer for answer in answers if answer.startswith("auth_")]
    assert (len(granted), set(answers) - set(granted)) == (10, {"cap"})
    in_threads(lambda number: finish(customer, granted[number]), 10)
    assert counted(customer, "spend_cap_per_day") == "0.075+0"


@pytest.mark.usefixtures("own_database")
def test_fifty_at_once_do_not_pass_a_users_cap() -> None:
    """M9: the same for one user, across midnight: each day admits its own ten."""
    customer = make_customer("payg", balance="10")
    control(customer, user_daily_cap="0.08")
    days = [AT, MIDNIGHT]
    answers = in_threads(lambda number: try_to_start(customer, user="bob", at=days[number % 2]), 100)
    granted = [answer for answer in answers if answer.startswith("auth_")]
    assert (len(granted), set(answers) - set(granted)) == (20, {"cap"})
