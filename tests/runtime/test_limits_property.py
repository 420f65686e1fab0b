"""Runs, reports, corrections, changes of plan and of day in any order: admitted and counted as a small model says."""

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from billing.core.ids import decode_id
from billing.core.problems import Problem
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions.models import SpendControls
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import Counter
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer
from tests.money_make import abandon, event, finish, money_of, report, start
from tests.runtime.limits_model import CEILING, CODES, DAILY_CAP, HOLD, LIMITS, OVERAGE, Account, OpenRun, Usage

MINI = {"provider": "openai", "model": "gpt-4o-mini"}
MIDNIGHT = AT.replace(hour=0)
sizes = st.sampled_from([(1000, 500), (20_000, 5_000), (40_000, 9_000), (0, 0)])
users = st.sampled_from(["", "bob", "eve"])
places = st.integers(0, 99)


class Limits(RuleBasedStateMachine):
    """The product and the model, step by step; time only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.customer = make_customer("pro", at=AT)
        self.id = self.customer.account.id
        for feature, value in LIMITS.items():
            whole = value == int(value)
            override_entitlement(
                account_id=self.id, feature=feature, value=int(value) if whole else str(value), reason="x", at=AT
            )
        SpendControls.objects.create(
            account_id=self.id, overage_enabled=True, overage_ceiling=CEILING, daily_cap=DAILY_CAP, changed_at=AT
        )
        self.model = Account([(AT, "pro", AT)], overage=True)
        self.now = AT
        self.numbers = count()
        self.runs: list[OpenRun] = []
        self.events: list[tuple[str, Usage, int, int]] = []
        self.reversed: set[str] = set()

    @rule(size=sizes, user=users, sandbox=st.booleans())
    def authorize(self, size: tuple[int, int], user: str, sandbox: bool) -> None:
        usage = Usage(user, sandbox, self.model.period(self.now), self.now)
        refused = self.model.refuses(usage, *size)
        asked = {"input_tokens": size[0], "max_output_tokens": size[1], "user": user, "sandbox": sandbox}
        if refused is not None:
            with pytest.raises(Problem) as refusal:
                start(self.customer, at=self.now, **MINI, **asked)
            assert refusal.value.code == CODES[refused]
            assert (refusal.value.limit_source == "overage-ceiling") == (refused == OVERAGE)
            return
        answer = start(self.customer, at=self.now, **MINI, **asked)
        assert Decimal(answer.overage) == usage.overage
        self.runs.append(OpenRun(decode_id("auth", answer.id), usage, self.model.reserve(usage, *size)))

    @precondition(lambda self: self.runs)
    @rule(place=places, size=sizes)
    def settle(self, place: int, size: tuple[int, int]) -> None:
        """Once; also a run whose hold has expired, or that was voided."""
        run = self.runs[place % len(self.runs)]
        if run.state == "settled":
            return
        answer = finish(self.customer, f"auth_{run.id.hex}", *size, at=self.now)
        self.model.release(run, "settled")
        self.model.count(run.usage.counted(*size))
        self.model.count(run.usage.priced())
        self.model.owed += run.usage.overage
        self.events.append((answer.event_id, run.usage, *size))

    @precondition(lambda self: self.runs)
    @rule(place=places)
    def void(self, place: int) -> None:
        run = self.runs[place % len(self.runs)]
        if run.state == "settled":
            with pytest.raises(Problem, match="authorization-settled"):
                abandon(self.customer, f"auth_{run.id.hex}", at=self.now)
        elif run.state == "open":
            abandon(self.customer, f"auth_{run.id.hex}", at=self.now)
            self.model.release(run, "voided")

    @rule()
    def expire(self) -> None:
        due = [run for run in self.runs if run.state == "open" and run.usage.at + HOLD <= self.now]
        assert expire_holds(at=self.now) == len(due)
        for run in due:
            self.model.release(run, "expired")

    @rule(size=sizes, user=users, age=st.sampled_from([0, 1, 20 * 3600, 35 * 86_400]), again=st.booleans())
    def report(self, size: tuple[int, int], user: str, age: int, again: bool) -> None:
        """What happened is counted where it happened, limits or not, and once."""
        at = self.now - timedelta(seconds=age)
        usage = Usage(user, False, self.model.period(at), at)
        body = event(user=user, occurred_at=at.isoformat(), input_tokens=size[0], output_tokens=size[1], **MINI)
        results = report(self.customer, *[body] * (1 + again), at=self.now)
        if again:
            results += report(self.customer, body, at=self.now)
        assert [result.status for result in results] == ["accepted"] + ["duplicate"] * 2 * again
        self.model.count(usage.counted(*size))
        self.events.append((str(results[0].event_id), usage, *size))

    @precondition(lambda self: self.events)
    @rule(place=places)
    def reverse(self, place: int) -> None:
        """A second time changes nothing."""
        name, usage, *size = self.events[place % len(self.events)]
        reverse_event(account_id=self.id, event_id=decode_id("evt", name), reason="x", at=self.now, actor=SYSTEM)
        if name not in self.reversed:
            self.reversed.add(name)
            self.model.count(usage.counted(*size, runs=-1))

    @rule(plan=st.sampled_from(["free", "pro"]))
    def change_plan(self, plan: str) -> None:
        self.pass_time(1)
        subscribe(account_id=self.id, plan_slug=plan, at=self.now)
        self.model.plans.append((self.now, plan, self.now if plan == "pro" else MIDNIGHT))

    @rule(seconds=st.sampled_from([1, 900, 43_199, 43_200, 86_400, 20 * 86_400]))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def counters_are_the_models(self) -> None:
        rows = Counter.objects.filter(account_id=self.id).exclude(used=0, reserved=0)
        read = {(row.feature, row.subject, row.window_start): (row.used, row.reserved) for row in rows}
        assert read == self.model.counters()

    def teardown(self) -> None:
        for run in self.runs:  # the sweep of the next machine is not to find them
            if run.state == "open":
                abandon(self.customer, f"auth_{run.id.hex}", at=self.now)
        assert money_of(self.customer.account) == ("0", "0", f"{self.model.owed.normalize():f}")


@pytest.mark.usefixtures("catalogue")
def test_counters_and_admissions_are_the_models() -> None:
    """P5-P8, M9, U2, U3: whatever comes in whatever order; see the rules."""
    rules = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    run_state_machine_as_test(Limits, settings=rules)
