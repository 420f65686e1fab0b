"""GET /v1/workspaces/{workspace}/billing/entitlements: what the workspace's account may use, and has used."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, Money, amount, rate
from billing.api.lookups import billed_workspace
from billing.api.permissions import caller_of
from billing.api.serializers import Query
from billing.api.views.base import SEE_BILLING, ApiView
from billing.api.views.usage import PeriodAnswer
from billing.runtime.session_queries import count_live
from billing.runtime.slots import SLOTS as SESSIONS
from billing.subscriptions.own_caps import overage_price
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.allowances import Spending, Standing, allowance, standing_of


class AllowanceAnswer(msgspec.Struct, frozen=True):
    """Used and left of a feature, running authorizations counted; `remaining` is `null` where it is unlimited."""

    used: int
    remaining: int | None


class ThrottleAnswer(msgspec.Struct, frozen=True):
    """Past `after` in a period, `per_minute` are let through."""

    after: int
    per_minute: int


class SpendingAnswer(msgspec.Struct, frozen=True):
    """Money used and left of a cap of the UTC day, running authorizations counted; `null` is no cap."""

    used: Amount
    remaining: Amount | None


class OverageAnswer(msgspec.Struct, frozen=True):
    """Executions past the limit: what one costs, and the most that a period's may cost, in the plan's currency.

    `price` is `null` where the plan sells none, `ceiling` where the customer has not opted in. `used` is what those of
    this period have cost, running ones counted.
    """

    enabled: bool
    price: Money | None
    ceiling: Money | None
    used: Amount


class EntitlementsAnswer(msgspec.Struct, frozen=True):
    """Effective entitlements: the plan's, times seats where a seat has its own, staff's exceptions, and own caps.

    `null` is unlimited. Counters of a day are counted by UTC days, gauges and sessions by what is there now, all others
    by the period. `spend` has the account's own caps; a cap of each user is not told of here.
    """

    plan_slug: str
    period: PeriodAnswer
    entitlements: dict[str, Any]
    usage: dict[str, AllowanceAnswer]
    spend: dict[str, SpendingAnswer]
    overage: OverageAnswer
    sources: dict[str, str]
    throttles: dict[str, ThrottleAnswer]


class Entitlements(ApiView):
    """GET /v1/workspaces/{workspace}/billing/entitlements"""

    scopes = {"GET": SEE_BILLING}

    @describe("get_entitlements", tag="Plans", summary="What a workspace's account may use", answer=EntitlementsAnswer)
    def get(self, request: Request, workspace: str) -> Response:
        """Limits and usage are the account's: all its workspaces count."""
        Query.read(request)
        at = now()
        billed = billed_workspace(caller_of(request), workspace)
        return Response(_answer(terms_of(billed.account.id, at), at))


def _answer(terms: AccountTerms, at: datetime) -> EntitlementsAnswer:
    standing, period = standing_of(terms, at), terms.period(at)
    return EntitlementsAnswer(
        plan_slug=terms.plan_slug,
        period=PeriodAnswer(period.start, period.end),
        entitlements={feature: limit.value for feature, limit in terms.limits.items()},
        usage=_usage(terms, standing, count_live(terms.account_id, at)),
        spend={cap: _spending(spent) for cap, spent in standing.spend.items()},
        overage=_overage(terms, standing.overage),
        sources={feature: limit.source for feature, limit in terms.limits.items()},
        throttles={
            feature: ThrottleAnswer(limit.throttle_after, limit.throttle_per_minute)
            for feature, limit in terms.limits.items()
            if limit.throttle_after is not None and limit.throttle_per_minute is not None
        },
    )


def _usage(terms: AccountTerms, standing: Standing, sessions: int) -> dict[str, AllowanceAnswer]:
    """In the order of the plan's features."""
    counted = standing.allowances | {SESSIONS: allowance(terms, SESSIONS, Decimal(sessions))}
    return {
        feature: AllowanceAnswer(counted[feature].used, counted[feature].remaining)
        for feature in terms.limits
        if feature in counted
    }


def _spending(spent: Spending) -> SpendingAnswer:
    return SpendingAnswer(amount(spent.used), None if spent.remaining is None else amount(spent.remaining))


def _overage(terms: AccountTerms, used: Decimal) -> OverageAnswer:
    price, chosen = overage_price(terms.limits, terms.meters), terms.overage
    return OverageAnswer(
        enabled=chosen is not None,
        price=None if price is None else rate(price),
        ceiling=None if chosen is None else rate(chosen.ceiling),
        used=amount(used),
    )
