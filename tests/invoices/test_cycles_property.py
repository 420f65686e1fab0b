"""Random histories of usage, late usage, reversals and closings: nothing is listed twice, nothing is lost (I1, U6)."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.core.ids import decode_id
from billing.credits.services.check_ledger import check_ledger
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.queries import to_be_paid
from billing.invoices.services.correct_usage import creditable_of
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.take_back_usage import take_back_usage
from billing.invoices.services.verify_invoices import verify_invoices
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import UsageEvent
from billing.usage.services.flush_rollups import flush_all_rollups
from tenants.services.record_audit import SYSTEM
from tests.invoices.cycling import DAY, HOUR, buy, calls, close, invoices_of, runs, settle
from tests.make import AT, Customer, make_customer

COSTS = {"calls": Decimal("0.018"), "runs": Decimal("0.0075")}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["calls", "runs", "late", "reverse", "close", "fold", "buy", "pay", "credit"]),
        st.integers(1, 20),
        st.integers(),
    ),
    min_size=3,
    max_size=14,
)
GAPS = st.sampled_from([timedelta(seconds=5), timedelta(hours=15), DAY, 13 * DAY, 28 * DAY, 59 * DAY])


@dataclass
class History:
    """What was done, in plain Python: events by period, with what each cost."""

    customer: Customer
    pays_for_runs: bool
    now: datetime = AT
    number: int = 0
    events: dict[str, tuple[datetime, Decimal]] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)

    def step(self, what: str, amount: int, choice: int) -> None:
        self.number += 1
        match what:
            case "calls" | "runs":
                self._use(what, amount, self.now)
            case "late":
                self._use("runs", amount, max(self.now - (choice % 70) * DAY, AT))
            case "reverse" if left := sorted(set(self.events) - self.reversed):
                self._reverse(left[choice % len(left)])
            case "close":
                self.now += amount * 2 * DAY
                close(self.now)
            case "fold":
                flush_all_rollups()
            case "buy":
                buy(self.customer, str(amount), self.now)
            case "pay" if asked := to_be_paid(self.customer.account.id).amount:
                settle(self.customer, str(round(asked / (1 + choice % 2), 2)), self.now)
            case "credit" if left := [one for one in self._invoices() if creditable_of(one)]:
                self._credit(left[choice % len(left)], amount)

    def _invoices(self) -> list[Invoice]:
        return [one for one in invoices_of(self.customer.account) if one.kind == Invoice.Kind.INVOICE]

    def _credit(self, invoice: Invoice, amount: int) -> None:
        part = min(creditable_of(invoice), Decimal(amount) / 20)
        issue_credit_note(invoice_id=invoice.id, amount=part, note="Sorry", actor=SYSTEM, at=self.now)

    def _use(self, kind: str, amount: int, at: datetime) -> None:
        if kind == "calls":
            made = calls(self.customer, 1, self.now, minutes=str(amount), key=f"k{self.number}")
            self._note(made, self.now, COSTS[kind] * amount)
        else:
            made = runs(self.customer, amount, at, key=f"k{self.number}", told_at=self.now)
            self._note(made, at, COSTS[kind] if self.pays_for_runs else Decimal(0))
        self.now += timedelta(minutes=7)

    def _note(self, made: list[str], at: datetime, cost: Decimal) -> None:
        start = terms_of(self.customer.account.id, self.now).period(at).start
        self.events |= dict.fromkeys(made, (start, cost))

    def _reverse(self, event: str) -> None:
        account = self.customer.account.id
        take_back_usage(account_id=account, event_id=decode_id("evt", event), reason="x", at=self.now, actor=SYSTEM)
        self.reversed.add(event)

    def used(self) -> dict[datetime, Decimal]:
        sums: defaultdict[datetime, Decimal] = defaultdict(Decimal)
        for event, (start, cost) in self.events.items():
            sums[start] += cost if event not in self.reversed else 0
        return {start: cost for start, cost in sums.items() if cost}


@pytest.mark.usefixtures("catalogue")
@settings(
    max_examples=int(os.environ.get("CYCLE_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.sampled_from(["payg", "pro"]), steps=STEPS)
def test_every_use_is_listed_once(plan: str, steps: list[tuple[str, int, int]]) -> None:
    """I1, U6, M11: after any history lines come to usage exactly, documents add up, and the ledger agrees."""
    with transaction.atomic():
        history = History(make_customer(plan, balance="3"), pays_for_runs=plan == "payg")
        for step in steps:
            history.step(*step)
        assert (verify_invoices(), check_ledger(at=history.now)) == ([], [])
        _close_everything(history)
        account = history.customer.account
        listed: defaultdict[datetime, Decimal] = defaultdict(Decimal)
        for line in InvoiceLine.objects.filter(account_id=account.id, funding__in=["credits", "invoice"]):
            listed[line.period_start] += line.rated
        unlisted = sum(history.used().values(), start=Decimal(0)) - sum(listed.values(), start=Decimal(0))
        assert abs(unlisted) < Decimal("0.01"), listed  # less than a cent waits for more
        assert verify_invoices() == []
        assert not BillingCycle.objects.exclude(error="").exists()
        due = sum(one.amount_due for one in Invoice.objects.filter(account_id=account.id))
        assert due >= 0
        transaction.set_rollback(True)


def _close_everything(history: History) -> None:
    history.now += 75 * DAY
    close(history.now)
    close(history.now + HOUR)


@pytest.mark.usefixtures("catalogue")
@settings(
    max_examples=int(os.environ.get("CYCLE_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    first=st.sampled_from(["free", "pro"]),
    steps=st.lists(st.tuples(GAPS, st.sampled_from(["free", "pro", "close"]) | GAPS), max_size=10),
)
def test_changes_of_plan_lose_no_use(first: str, steps: list[tuple[timedelta, str | timedelta]]) -> None:
    """I1, P5: whatever plans follow each other, and whenever, what was used is listed, and documents add up."""
    with transaction.atomic():
        now = datetime(2026, 1, 31, 9, tzinfo=UTC)
        customer = make_customer(first, balance="1", at=now)
        account = customer.account
        for gap, what in steps:
            now += gap
            match what:
                case "close":
                    close(now)
                case str():
                    subscribe(account_id=account.id, plan_slug=what, at=now)
                case ago:
                    calls(customer, 7, now - ago, key=now.isoformat(), told_at=now)
        assert verify_invoices() == []
        close(now + 75 * DAY)
        close(now + 75 * DAY + HOUR)
        used = UsageEvent.objects.filter(account_id=account.id).aggregate(sum=Sum("cost"))["sum"] or 0
        lines = InvoiceLine.objects.filter(account_id=account.id).exclude(product="")
        assert used == (lines.aggregate(sum=Sum("rated"))["sum"] or 0)
        assert verify_invoices() == []
        transaction.set_rollback(True)
