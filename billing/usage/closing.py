"""What periods sum up to, for many accounts at once: what closing a cycle reads."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing.usage.models.rollup import SUMS

_KEY = ("account_id", "period_start", "product", "unit", "provider", "model", "credential_source")
# Rollups, and the deltas that no worker has folded yet: exact at once. One snapshot sees a delta on one side only.
_PERIODS = f"""
    WITH asked AS (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[]) AS a (account_id, period_start))
    SELECT {", ".join(_KEY)}, {", ".join(f"sum({name})" for name in SUMS)} FROM (
        SELECT {", ".join([*_KEY, *SUMS])} FROM billing_usage_periodrollup JOIN asked USING (account_id, period_start)
        UNION ALL
        SELECT {", ".join([*_KEY, *SUMS])} FROM billing_usage_usagedelta JOIN asked USING (account_id, period_start)
    ) AS meters GROUP BY {", ".join(_KEY)} ORDER BY {", ".join(_KEY)}
"""


@dataclass(frozen=True, slots=True)
class PeriodSum:
    """What an account used in a period of a product and, for model usage, of a model on one kind of key.

    `cost` is in the account's currency; that of own keys is not billed (U7).
    """

    account_id: UUID
    period_start: datetime
    product: str
    unit: str
    provider: str
    model: str
    credential_source: str
    requests: int
    quantity: Decimal
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal


def period_sums_of(periods: Collection[tuple[UUID, datetime]]) -> list[PeriodSum]:
    """The sums of many accounts' periods, each named by its account and start, in one query, account by account.

    Its time grows with the accounts and their products and models, not with the events (U4).
    """
    accounts, starts = [account for account, _ in periods], [start for _, start in periods]
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS, [accounts, starts])
        return [_sum(row) for row in cursor.fetchall()]


def _sum(row: tuple[Any, ...]) -> PeriodSum:
    # Sums of whole numbers come back as decimals.
    account_id, start, product, unit, provider, model, source, requests, quantity, fresh, output, cached, cost = row
    return PeriodSum(
        account_id=account_id,
        period_start=start,
        product=product,
        unit=unit,
        provider=provider,
        model=model,
        credential_source=source,
        requests=int(requests),
        quantity=quantity,
        input_tokens=int(fresh),
        output_tokens=int(output),
        cached_input_tokens=int(cached),
        cost=cost,
    )
