"""What an account's counters must be, in plain Python: the model that `test_limits_property` holds the product to."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from dateutil.relativedelta import relativedelta

EXECUTIONS, TRIES, TOKENS = "executions_per_month", "sandbox_tries_per_day", "tokens_per_month"
DAY_CAP, USER_CAP, OVERAGE = "spend_cap_per_day", "spend_cap_per_user_day", "overage"
LIMITS = {EXECUTIONS: Decimal(4), TRIES: Decimal(2), TOKENS: Decimal(90_000), USER_CAP: Decimal("0.02")}
DAILY_CAP, CEILING = Decimal("0.06"), Decimal("0.04")
OVERAGE_PRICES = {"free": Decimal("0.02"), "pro": Decimal("0.01")}
HOLD = timedelta(minutes=15)
CODES = {
    EXECUTIONS: "quota-exceeded-executions",
    OVERAGE: "quota-exceeded-executions",
    TRIES: "quota-exceeded-sandbox-tries",
    TOKENS: "quota-exceeded-tokens",
    DAY_CAP: "spend-cap-exceeded",
    USER_CAP: "spend-cap-exceeded",
}
Window = tuple[str, str, datetime]
"""A counter: feature, user, and when its window began."""


def cost_of(fresh: int, output: int) -> Decimal:
    """On gpt-4o-mini: 0.15 dollars a million in, 0.60 out."""
    return (fresh * Decimal("0.15") + output * Decimal("0.60")) / 1_000_000


@dataclass
class Usage:
    """What ran, or may: by whom, how much, in which windows it counts."""

    user: str
    sandbox: bool
    period: datetime
    at: datetime
    overage: Decimal = Decimal(0)

    def counted(self, fresh: int, output: int, runs: int = 1) -> dict[Window, Decimal]:
        """What so much of it adds to counters; `runs` is minus one where it is taken back."""
        cost = runs * cost_of(fresh, output)
        day = self.at.replace(hour=0, minute=0, second=0, microsecond=0)
        adds = {(TRIES, "", day) if self.sandbox else (EXECUTIONS, "", self.period): Decimal(runs)}
        adds |= {(TOKENS, "", self.period): Decimal(runs * (fresh + output)), (DAY_CAP, "", day): cost}
        return adds | ({(USER_CAP, self.user, day): cost} if self.user else {})

    def priced(self) -> dict[Window, Decimal]:
        """What its price past the limit adds."""
        day = self.at.replace(hour=0, minute=0, second=0, microsecond=0)
        return {(OVERAGE, "", self.period): self.overage, (DAY_CAP, "", day): self.overage} if self.overage else {}


@dataclass
class OpenRun:
    """A run that was admitted."""

    id: UUID
    usage: Usage
    reserved: dict[Window, Decimal]
    state: str = "open"


@dataclass
class Account:
    """Counters of one account, and the plans that it has had since when, from which anchor."""

    plans: list[tuple[datetime, str, datetime]]
    overage: bool
    used: defaultdict[Window, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    reserved: defaultdict[Window, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    owed: Decimal = Decimal(0)

    def period(self, at: datetime) -> datetime:
        """When the billing period of an instant began, by the plan of then."""
        anchor = next((anchor for since, _, anchor in reversed(self.plans) if since <= at), self.plans[0][2])
        months = (at.year - anchor.year) * 12 + at.month - anchor.month
        begun = [anchor + relativedelta(months=months + step) for step in (-1, 0, 1)]
        return max(start for start in begun if start <= at)

    def refuses(self, usage: Usage, fresh: int, output: int) -> str | None:
        """The first counter that does not admit a run; a run past the limit gets its price."""
        limits = LIMITS | {DAY_CAP: DAILY_CAP}
        needs = usage.counted(fresh, output)
        for window, need in needs.items():
            feature = window[0]
            taken = self.used[window] + self.reserved[window]
            priced = usage.overage if feature == DAY_CAP else 0
            if taken + need + priced <= limits[feature]:
                continue
            if feature != EXECUTIONS or not self.overage:
                return feature
            price = OVERAGE_PRICES[self.plans[-1][1]]
            spent = OVERAGE, "", usage.period
            if self.used[spent] + self.reserved[spent] + price > CEILING:
                return OVERAGE
            usage.overage = price
        return None

    def reserve(self, usage: Usage, fresh: int, output: int) -> dict[Window, Decimal]:
        reserved: defaultdict[Window, Decimal] = defaultdict(Decimal)
        for needs in (usage.counted(fresh, output), usage.priced()):
            for window, need in needs.items():
                reserved[window] += need
        for window, need in reserved.items():
            self.reserved[window] += need
        return reserved

    def release(self, run: OpenRun, state: str) -> None:
        if run.state == "open":
            for window, need in run.reserved.items():
                self.reserved[window] -= need
        run.state = state

    def count(self, adds: dict[Window, Decimal]) -> None:
        for window, amount in adds.items():
            self.used[window] += amount

    def counters(self) -> dict[Window, tuple[Decimal, Decimal]]:
        """Used and reserved of every counter that is not empty."""
        windows = self.used.keys() | self.reserved.keys()
        both = {window: (self.used[window], self.reserved[window]) for window in windows}
        return {window: pair for window, pair in both.items() if pair != (0, 0)}
