"""Executions past the plan's limit that the customer allows and pays for."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from billing.core.problems import Problem
from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.settle_receivable import settle_receivable
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.invoiced import invoiced_costs
from billing.usage.models import Counter, UsageEvent
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, finish, in_threads, money_of, start
from tests.runtime.limits import control, counted, refusal, use_up
from tests.runtime.own_keys import own_key
from vault.models import KeyEncryptionKey

SECOND = timedelta(seconds=1)


def at_the_limit(plan: str = "pro", used: str = "5000", **controls: object) -> Customer:
    """A customer without executions left, who pays for more unless told otherwise: on Pro, a cent each."""
    customer = make_customer(plan)
    use_up(customer, "executions_per_month", used)
    control(customer, **({"overage_enabled": True, "overage_ceiling": "1.00"} | controls))
    return customer


def invoiced(customer: Customer) -> dict[str, str]:
    found = invoiced_costs(account_id=customer.account.id, since=AT - timedelta(days=40))
    return {product: f"{cost.normalize():f}" for (_, product), cost in found.items()}


@pytest.mark.usefixtures("catalogue")
class TestOneByOne:
    def test_off_by_default(self) -> None:
        """P8: at the limit the run is refused, and told that more can be bought."""
        customer = make_customer("pro")
        use_up(customer, "executions_per_month", "5000")
        refused = refusal(customer)
        assert (refused.code, refused.status, refused.limit_source) == ("quota-exceeded-executions", 402, "plan:pro")
        assert refused.remedy is not None
        assert refused.remedy.startswith("Allow paid executions past the limit")

    def test_run_past_the_limit_is_paid_for(self) -> None:
        """P8, I1: granted at the plan's price, settled as an event of its own, owed, and on the invoice's figures."""
        customer = at_the_limit("pro", "4999")
        assert start(customer).overage == "0.000000000"
        run = start(customer)
        assert (run.overage, counted(customer, "overage")) == ("0.010000000", "0+0.01")
        settled = finish(customer, run)
        assert (settled.overage, settled.owed, settled.charged) == ("0.010000000", "0.010000000", "0.000000000")
        assert finish(customer, run) == settled
        event = UsageEvent.objects.get(account_id=customer.account.id, product="executions")
        assert (event.quantity, event.unit, event.cost, event.funding) == (1, "execution", Decimal("0.01"), "invoice")
        assert counted(customer, "overage") == "0.01+0"
        assert money_of(customer.account) == ("0", "0", "0.01")
        assert (invoiced(customer), check_ledger(at=AT)) == ({"executions": "0.01"}, [])
        flush_all_rollups()
        assert invoiced(customer) == {"executions": "0.01"}

    def test_void_and_expiry_give_the_reservation_back(self) -> None:
        """P8: a run that did not happen costs nothing, and its part of ceiling and cap is free again."""
        customer = at_the_limit(overage_ceiling="0.02", daily_cap="0.04")
        abandon(customer, start(customer))
        start(customer)
        assert (counted(customer, "overage"), counted(customer, "spend_cap_per_day")) == ("0+0.01", "0+0.0175")
        assert expire_holds(at=AT + timedelta(minutes=16)) == 1
        assert (counted(customer, "overage"), counted(customer, "spend_cap_per_day")) == ("0+0", "0+0")
        assert counted(customer, "executions_per_month") == "5000+0"
        assert money_of(customer.account) == ("0", "0", "0")

    def test_late_settlement_of_an_expired_run(self) -> None:
        """P8: what ran is paid for at the price of its admission, though its reservation is gone."""
        customer = at_the_limit(overage_ceiling="0.01")
        run = start(customer)
        expire_holds(at=AT + timedelta(minutes=16))
        control(customer)
        assert finish(customer, run, at=AT + timedelta(hours=1)).overage == "0.010000000"
        assert (counted(customer, "overage"), money_of(customer.account)[2]) == ("0.01+0", "0.01")
        assert check_ledger(at=AT) == []

    def test_ceiling(self) -> None:
        """P8: the customer's own ceiling refuses, says what was spent of it, and what to do."""
        customer = at_the_limit(overage_ceiling="0.02")
        for _ in range(2):
            finish(customer, start(customer))
        refused = refusal(customer)
        assert (refused.code, refused.status) == ("quota-exceeded-executions", 402)
        assert refused.limit_source == "overage-ceiling"
        assert "have cost 0.02 USD of the 0.02 USD" in refused.detail
        assert refused.remedy is not None
        assert refused.remedy.startswith("Raise the overage ceiling")
        control(customer, overage_enabled=True, overage_ceiling="0.03")
        assert start(customer).overage == "0.010000000"
        assert start(customer, at=AT.replace(month=4)).overage == "0.000000000"

    def test_opting_out_holds_for_the_next_run(self) -> None:
        """P8: terms that the process remembers are refused by the account's version."""
        customer = at_the_limit()
        assert start(customer).overage == "0.010000000"
        control(customer, overage_ceiling="1.00")
        assert refusal(customer).limit_source == "plan:pro"

    def test_what_is_paid_for_is_not_slowed(self) -> None:
        """P7, P8: past 3,000 Pro lets one a minute through; past 5,000 each is paid for and starts at once."""
        customer = at_the_limit("pro", "3001")
        start(customer)
        assert refusal(customer, at=AT + SECOND).code == "throttled"
        use_up(customer, "executions_per_month", "1998")
        assert [start(customer, at=AT + 2 * SECOND).overage for _ in range(3)] == ["0.010000000"] * 3

    def test_own_keys_and_tries_in_the_sandbox_are_no_overage(self, vault: KeyEncryptionKey) -> None:
        """U7, P3, P8: neither counts as an execution, so that neither is past the limit."""
        customer = at_the_limit()
        finish(customer, start(customer, sandbox=True))
        own_key(customer)
        run = start(customer)
        assert (run.credential_source, run.overage) == ("byok", "0.000000000")
        finish(customer, run)
        assert not Counter.objects.filter(feature="overage").exists()
        assert money_of(customer.account) == ("0", "0", "0")

    def test_seats_multiply_the_limit(self) -> None:
        """P3, P8: three seats have 75,000 executions; the next one is paid for."""
        customer = make_customer("team", at=AT - timedelta(days=1))
        subscribe(account_id=customer.account.id, plan_slug="team", at=AT, seats=3)
        control(customer, overage_enabled=True, overage_ceiling="1.00")
        use_up(customer, "executions_per_month", "74999")
        assert [start(customer).overage for _ in range(2)] == ["0.000000000", "0.008000000"]

    def test_cap_of_the_day_counts_it(self) -> None:
        """M9, P8: the price of an execution past the limit is part of what a day may cost."""
        customer = at_the_limit(daily_cap="0.03")
        assert start(customer).overage == "0.010000000"
        refused = refusal(customer)
        assert (refused.code, refused.limit_source) == ("spend-cap-exceeded", "cap")
        assert counted(customer, "overage") == "0+0.01"

    @pytest.mark.parametrize(
        ("paid", "left", "on_invoice"), [(False, ("0", "0", "0"), "0"), (True, ("0.01", "0", "0"), "0.01")]
    )
    def test_reversal(self, paid: bool, left: tuple[str, str, str], on_invoice: str) -> None:
        """U3, P8: it comes off the debt, or back as credits once it was paid, and frees its part of the ceiling."""
        customer = at_the_limit(overage_ceiling="0.01")
        finish(customer, start(customer))
        event = UsageEvent.objects.get(product="executions")
        if paid:
            pay(customer, event.cost)
        for _ in range(2):
            reverse_event(account_id=customer.account.id, event_id=event.id, reason="Ours", at=AT, actor=SYSTEM)
        assert (counted(customer, "overage"), money_of(customer.account)) == ("0+0", left)
        assert invoiced(customer) == {"executions": on_invoice}
        assert check_ledger(at=AT) == []
        assert start(customer).overage == "0.010000000"

    def test_on_credits(self) -> None:
        """P8, M2: an account that was on credits owes the execution, and only that, on its next invoice."""
        customer = make_customer("payg", balance="10")
        finish(customer, start(customer))
        later = AT + timedelta(days=1)
        subscribe(account_id=customer.account.id, plan_slug="pro", at=later)
        control(customer, overage_enabled=True, overage_ceiling="1.00", at=later)
        use_up(customer, "executions_per_month", "5000", since=terms_of(customer.account.id, later).period(later).start)
        finish(customer, start(customer, at=later), at=later)
        assert money_of(customer.account) == ("9.9925", "0", "0.01")
        assert (invoiced(customer), check_ledger(at=later)) == ({"executions": "0.01"}, [])


def pay(customer: Customer, amount: Decimal) -> None:
    """As an invoice that was paid does."""
    settle_receivable(
        credits_id=customer.account.credits_id,
        receivable_id=customer.account.receivable_id,
        amount=amount,
        idempotency_key="invoice:in_1",
        at=AT,
    )


def try_to_start(customer: Customer, at: datetime = AT) -> str:
    try:
        return start(customer, at=at, model="gpt-4o-mini").id
    except Problem as refusal:
        return refusal.limit_source or refusal.code


@pytest.mark.usefixtures("own_database")
@pytest.mark.parametrize(("used", "ceiling", "free", "paid"), [("100", "0.20", 0, 10), ("95", "0.21", 5, 10)])
def test_fifty_at_once_do_not_pass_the_ceiling(used: str, ceiling: str, free: int, paid: int) -> None:
    """P8: what is left of the limit and then ten paid executions of fifty that ask on connections of their own."""
    customer = at_the_limit("free", used, overage_ceiling=ceiling)
    answers = in_threads(lambda _: try_to_start(customer), 50)
    granted = [answer for answer in answers if answer.startswith("auth_")]
    assert (len(granted), set(answers) - set(granted)) == (free + paid, {"overage-ceiling"})
    assert counted(customer, "overage") == "0+0.2"
    settled = in_threads(lambda number: finish(customer, granted[number]), free + paid)
    assert sum(Decimal(answer.overage) > 0 for answer in settled) == paid
    assert counted(customer, "overage") == "0.2+0"
    assert set(in_threads(lambda _: try_to_start(customer), 16)) == {"overage-ceiling"}
    posted = Transfer.objects.filter(debit_account_id=customer.account.receivable_id, reason="usage")
    assert (posted.count(), money_of(customer.account)[2], check_ledger(at=AT)) == (paid, "0.2", [])
