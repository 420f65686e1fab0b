"""Which lot pays: written down late, it must read as if it had been written down at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.credits.burn_down import burn_down
from billing.credits.models import LedgerAccount
from billing.credits.queries import Balance, balance_of, grants_of
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.open_ledger_account import open_ledger_account
from tests.make import AT
from tests.money_make import capture, hold, make_grant, make_ledger, release, reread, spend

database_property = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
nanos = st.integers(1, 20_000_000_000).map(lambda n: Decimal(n).scaleb(-9))
grants = st.tuples(st.just("grant"), nanos, st.integers(1, 3), st.none() | st.integers(1, 6))
spends = st.tuples(st.just("spend"), nanos)
waits = st.tuples(st.just("wait"), st.integers(1, 3))
holds = st.tuples(st.just("hold"), nanos)
ends = st.tuples(st.sampled_from(["settle", "void"]), st.integers(0, 5), st.fractions(0, 1))


def test_takes_lots_in_order() -> None:
    """M6: each lot is emptied before the next is touched; an empty one gives nothing."""
    lots = [("a", Decimal(2)), ("b", Decimal(0)), ("c", Decimal(5))]
    assert list(burn_down(lots, Decimal(3))) == [("a", 2), ("c", 1)]
    assert list(burn_down(lots, Decimal(0))) == []
    with pytest.raises(ValueError, match="beyond what the grants hold"):
        list(burn_down(lots, Decimal("7.000000001")))


@dataclass
class Lot:
    """A lot of the oracle, which burns and expires eagerly."""

    id: UUID
    priority: int
    expires_at: datetime | None
    left: Decimal

    def order(self) -> tuple[int, bool, datetime]:
        return self.priority, self.expires_at is None, self.expires_at or AT


class Oracle:
    """Plain sums over lots, brought up to date at every step."""

    def __init__(self) -> None:
        self.lots: list[Lot] = []

    def expire(self, now: datetime) -> None:
        self.lots = [lot for lot in self.lots if lot.expires_at is None or lot.expires_at > now]

    def spend(self, amount: Decimal) -> bool:
        if sum(lot.left for lot in self.lots) < amount:
            return False
        for lot in sorted(self.lots, key=Lot.order):  # sorted() is stable: age decides between equals
            taken = min(lot.left, amount)
            lot.left -= taken
            amount -= taken
        return True

    def left(self) -> dict[UUID, Decimal]:
        return {lot.id: lot.left for lot in self.lots if lot.left > 0}


@pytest.mark.django_db
@database_property
@given(st.lists(grants | spends | waits, max_size=14))
def test_burning_down_late_reads_like_burning_down_at_once(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    """M6: lots, balance and refusals equal those of an oracle that burns and expires at every step."""
    ledger, oracle, now = make_ledger(), Oracle(), AT
    for name, *values in steps:
        if name == "wait":
            now += timedelta(days=values[0])
            oracle.expire(now)
        elif name == "spend":
            assert spend(ledger, values[0], at=now) == oracle.spend(values[0])
        else:
            amount, priority, days = values
            expires_at = None if days is None else now + timedelta(days=days)
            grant = make_grant(ledger, amount, at=now, priority=priority, expires_at=expires_at)
            oracle.lots.append(Lot(grant.id, priority, expires_at, amount))
    assert _balance(ledger, now).posted == sum(oracle.left().values())
    expire_grants(account_id=ledger.id, at=now)
    assert {grant.id: left for grant, left in grants_of(reread(ledger))} == oracle.left()
    assert check_ledger(at=now) == []


@pytest.mark.django_db
@database_property
@given(st.lists(grants | spends | waits | holds | ends, max_size=16))
def test_a_sweep_changes_no_reading(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    """M1, M6: with holds pending, the balance says before a sweep what it says after it, and is never negative."""
    ledger, now = make_ledger(), AT
    open_holds: list[tuple[UUID, Decimal]] = []
    for name, *values in steps:
        if name == "wait":
            now += timedelta(days=values[0])
        elif name == "grant":
            expires_at = None if values[2] is None else now + timedelta(days=values[2])
            make_grant(ledger, values[0], at=now, priority=values[1], expires_at=expires_at)
        elif name == "spend":
            spend(ledger, values[0], at=now)
        elif name == "hold":
            held = hold(ledger, values[0], at=now)
            open_holds += [(held, values[0])] if held else []
        elif open_holds:
            _end(ledger, name, *open_holds.pop(values[0] % len(open_holds)), share=values[1], now=now)
        before = _balance(ledger, now)
        expire_grants(account_id=ledger.id, at=now)
        assert _balance(ledger, now) == before
        assert before.available >= 0
        assert before.held == sum(amount for _, amount in open_holds)
    assert check_ledger(at=AT) == []  # holds of the test are left open: none is due at its first day


def _end(ledger: LedgerAccount, name: str, held: UUID, amount: Decimal, *, share: object, now: datetime) -> None:
    if name == "void":
        release(ledger, held, at=now)
    else:
        cost = (amount * Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal("1e-9"))  # type: ignore[attr-defined]
        capture(ledger, held, min(cost, amount), at=now)


def _balance(ledger: LedgerAccount, at: datetime) -> Balance:
    receivable = open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency="USD", at=AT)
    return balance_of(credits_id=ledger.id, receivable_id=receivable.id, at=at)
