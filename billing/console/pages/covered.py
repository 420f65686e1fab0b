"""What of a period's usage nobody is charged for, because the plan includes it (P5, U7)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.usage.account_fundings import fundings_of
from billing.usage.models import UsageEvent
from billing.usage.queries import MeterReading


def covered_by_plan(account_id: UUID, readings: Sequence[MeterReading], period_start: datetime) -> Decimal | None:
    """The part of the readings' cost that the plan includes, as invoices list it; what own keys cost is not in it.

    None where plans that pay for usage in different ways share the period: only its events know then. One query.
    """
    fundings = fundings_of(account_id)
    if not fundings.plans:
        return None
    covered = Decimal(0)
    for reading in readings:
        funding = fundings.funding_of(reading, period_start)
        if funding is None:
            return None
        covered += reading.cost if funding == UsageEvent.Funding.INCLUDED else Decimal(0)
    return covered
