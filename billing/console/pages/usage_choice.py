"""Which period of which workspace a usage page shows, and the addresses of the other choices (P5, F1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.http import urlencode

from billing.console.queries import find_workspace
from billing.core.periods import Period
from billing.subscriptions.models import BillingAccount
from billing.usage.periods import periods_of
from tenants.models import Workspace

CURRENT, PREVIOUS = "current", "previous"
MOST_PERIODS = 240  # twenty years of months


class UnknownChoice(LookupError):
    """A period that the account has not had, or a workspace that it does not pay for."""


@dataclass(frozen=True, slots=True)
class PeriodOption:
    """A period to choose: `key` is what addresses call it, `label` its days in the tenant's time zone."""

    key: str
    label: str
    period: Period
    is_current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen period among the account's, the latest first, and the chosen workspace; None for all of them."""

    periods: Sequence[PeriodOption]
    place: int
    workspace: Workspace | None

    @property
    def option(self) -> PeriodOption:
        return self.periods[self.place]

    @property
    def period(self) -> Period:
        return self.option.period

    @property
    def workspace_id(self) -> UUID | None:
        return self.workspace.id if self.workspace is not None else None

    @property
    def earlier(self) -> PeriodOption | None:
        """The period before the chosen one."""
        return self.periods[self.place + 1] if self.place + 1 < len(self.periods) else None

    @property
    def later(self) -> PeriodOption | None:
        """The period after the chosen one."""
        return self.periods[self.place - 1] if self.place else None

    @property
    def query(self) -> str:
        """The choice as an address has it: it means the same period next month too."""
        return self.query_of(self.option)

    @property
    def earlier_query(self) -> str:
        return self.query_of(self.earlier) if self.earlier is not None else ""

    @property
    def later_query(self) -> str:
        return self.query_of(self.later) if self.later is not None else ""

    @property
    def everywhere_query(self) -> str:
        """The period in all workspaces."""
        return urlencode({"period": self.option.key})

    def query_of(self, option: PeriodOption) -> str:
        """Another period of the same workspace."""
        place = {"workspace": self.workspace.slug} if self.workspace is not None else {}
        return urlencode({"period": option.key} | place)


def choose(account: BillingAccount, at: datetime, *, period: str, workspace: str) -> Choice:
    """The choice that an address names; no period is the current one, no workspace all of them.

    Raises UnknownChoice, and NoActivePlan where the account never had a plan.
    """
    periods = period_options(periods_of(account.id, at, most=MOST_PERIODS), account.tenant.timezone)
    place = _place(periods, period or CURRENT)
    return Choice(periods, place, _workspace(account.id, workspace) if workspace else None)


def period_options(periods: Sequence[Period], zone: str) -> list[PeriodOption]:
    """The periods as a list to choose from. Two that would read the same tell their hour as well."""
    labels = [_days(period, zone) for period in periods]
    return [
        PeriodOption(
            key=_key(period.start),
            label=label
            if labels.count(label) == 1
            else f"{label}, from {period.start.astimezone(ZoneInfo(zone)):%H:%M}",
            period=period,
            is_current=number == 0,
        )
        for number, (period, label) in enumerate(zip(periods, labels, strict=True))
    ]


def _days(period: Period, zone: str) -> str:
    """As in "10 Mar to 10 Apr 2026"; the year twice where it changes."""
    start, end = period.start.astimezone(ZoneInfo(zone)), period.end.astimezone(ZoneInfo(zone))
    first = f"{start.day} {start:%b}" if start.year == end.year else f"{start.day} {start:%b %Y}"
    return f"{first} to {end.day} {end:%b %Y}"


def _key(start: datetime) -> str:
    """The UTC day, where the period begins with it, else the instant."""
    text = start.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text.removesuffix("T00:00:00") if text.endswith("T00:00:00") else f"{text}Z"


def _place(periods: Sequence[PeriodOption], wanted: str) -> int:
    aliases = {CURRENT: 0, PREVIOUS: 1}
    if wanted in aliases and aliases[wanted] < len(periods):
        return aliases[wanted]
    for place, option in enumerate(periods):
        if option.key == wanted:
            return place
    raise UnknownChoice(wanted)


def _workspace(account_id: UUID, slug: str) -> Workspace:
    # The database takes no NUL, not even to compare with.
    found = None if "\x00" in slug else find_workspace(account_id=account_id, slug=slug)
    if found is None:
        raise UnknownChoice(slug)
    return found
