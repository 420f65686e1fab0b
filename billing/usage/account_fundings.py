"""Who pays for what a meter has counted: rollups do not say, the plans of the period do (U7, P8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from billing.subscriptions.models import Subscription
from billing.usage.models import UsageEvent
from billing.usage.queries import Metered

_Funding = UsageEvent.Funding
_LONGEST_PERIOD = timedelta(days=31)


class _Plan(NamedTuple):
    """Which usage a plan funds how, from an instant on."""

    starts_at: datetime
    usage_funding: str


@dataclass(frozen=True, slots=True)
class Fundings:
    """The plans that an account ever had, in order."""

    plans: Sequence[_Plan]

    def funding_of(self, row: Metered, period_start: datetime) -> str | None:
        """Who pays for a sum of a period, as `prepare_event` and `settle` decide it; None where its plans disagree."""
        if row.credential_source == UsageEvent.CredentialSource.BYOK:
            return _Funding.PROVIDER.value
        if row.product == "executions":
            return _Funding.INVOICE.value
        fundings = self._in_period(period_start)
        if len(fundings) > 1:
            return None
        if fundings == {"credits"}:
            return _Funding.CREDITS.value
        return _Funding.INCLUDED.value if row.product == "llm" else _Funding.INVOICE.value

    def _in_period(self, start: datetime) -> set[str]:
        """The fundings of the plans under which something may have been recorded in the period from `start` on."""
        inside = {plan.usage_funding for plan in self.plans if start <= plan.starts_at < start + _LONGEST_PERIOD}
        before = [plan.usage_funding for plan in self.plans if plan.starts_at <= start] or [self.plans[0].usage_funding]
        return inside | {before[-1]}


def fundings_of(account_id: UUID) -> Fundings:
    """One query."""
    rows = Subscription.objects.filter(account_id=account_id).order_by("starts_at")
    return Fundings([_Plan(*row) for row in rows.values_list("starts_at", "plan_version__usage_funding")])
