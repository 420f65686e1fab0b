"""What usage that goes on the invoice comes to, by billing period and product (S7)."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing.plans.models import PlanVersion
from billing.subscriptions.models import Subscription

Sums = Mapping[tuple[datetime, str], Decimal]
_SKEW = timedelta(days=1)  # an event is recorded, and so numbered, at most minutes before its own time
_METERS = """
    SELECT period_start, product, sum(cost) FROM (
        SELECT period_start, product, cost FROM billing_usage_periodrollup
         WHERE account_id = %(account)s AND period_start >= %(since)s AND product <> 'llm'
        UNION ALL
        SELECT period_start, product, cost FROM billing_usage_usagedelta
         WHERE account_id = %(account)s AND period_start >= %(since)s AND product <> 'llm'
    ) AS meters GROUP BY 1, 2 ORDER BY 1, 2
"""
# A reversal of usage that was paid by then gave credits back: what the invoice asks for is not less because of it.
_GIVEN_AS_CREDITS = """
    SELECT u.period_start, u.product, sum(t.amount)
      FROM billing_usage_usageevent AS u
      JOIN billing_subscriptions_billingaccount AS a ON a.id = u.account_id
      JOIN billing_credits_transfer AS t
        ON t.idempotency_key = 'grant:' || a.credits_id || ':reversal:' || u.reverses_id
     WHERE u.account_id = %(account)s AND u.reverses_id IS NOT NULL AND u.period_start >= %(since)s
       AND u.product <> 'llm' AND u.funding = 'invoice'
     GROUP BY 1, 2
"""
_EVENTS = """
    SELECT period_start, product, sum(cost) FROM billing_usage_usageevent
     WHERE account_id = %(account)s AND id >= %(first)s AND period_start >= %(since)s
       AND product <> 'llm' AND funding = 'invoice'
     GROUP BY 1, 2 ORDER BY 1, 2
"""


def invoiced_costs(*, account_id: UUID, since: datetime) -> Sums:
    """Rated cost by (period start, product) of the periods that begin at `since` or later; three queries.

    In the account's currency with nine decimals, less what reversals took off the debt. Meters do not say who pays.
    Where the account was never on a plan of credits, all that is metered besides model usage goes on the invoice, and
    they answer whatever number of events there are; else its events since then are added up.
    """
    query = _EVENTS if _was_on_credits(account_id) else _METERS
    parameters: dict[str, Any] = {"account": account_id, "since": since, "first": _first_id(since - _SKEW)}
    sums: defaultdict[tuple[datetime, str], Decimal] = defaultdict(Decimal)
    for statement in (query, _GIVEN_AS_CREDITS):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            for start, product, cost in cursor.fetchall():
                sums[start, product] += cost
    return dict(sums)


def _was_on_credits(account_id: UUID) -> bool:
    return Subscription.objects.filter(
        account_id=account_id, plan_version__usage_funding=PlanVersion.Funding.CREDITS
    ).exists()


def _first_id(at: datetime) -> UUID:
    """The lowest id that an event of this time can have: ids begin with their milliseconds."""
    return UUID(int=max(int(at.astimezone(UTC).timestamp() * 1000), 0) << 80)
