"""GET /v1/workspaces/{workspace}/billing/entitlements: what the workspace's account may use, and has used."""

from typing import Any

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.lookups import billed_workspace
from billing.api.permissions import caller_of
from billing.api.serializers import Query
from billing.api.views.base import SEE_BILLING, ApiView
from billing.api.views.usage import PeriodAnswer
from billing.subscriptions.queries import terms_of
from billing.usage.allowances import allowances_of


class AllowanceAnswer(msgspec.Struct, frozen=True):
    """Used and left of a feature, running authorizations counted; `remaining` is `null` where it is unlimited."""

    used: int
    remaining: int | None


class ThrottleAnswer(msgspec.Struct, frozen=True):
    """Past `after` in a period, `per_minute` are let through."""

    after: int
    per_minute: int


class EntitlementsAnswer(msgspec.Struct, frozen=True):
    """Effective entitlements: the plan's, times seats where a seat has its own, and staff's exceptions.

    `null` is unlimited. Counters of a day are counted by UTC days, all others by the period.
    """

    plan_slug: str
    period: PeriodAnswer
    entitlements: dict[str, Any]
    usage: dict[str, AllowanceAnswer]
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
        terms = terms_of(billed.account.id, at)
        period = terms.period(at)
        return Response(
            EntitlementsAnswer(
                plan_slug=terms.plan_slug,
                period=PeriodAnswer(period.start, period.end),
                entitlements={feature: limit.value for feature, limit in terms.limits.items()},
                usage={
                    feature: AllowanceAnswer(allowance.used, allowance.remaining)
                    for feature, allowance in allowances_of(terms, at).items()
                },
                sources={feature: limit.source for feature, limit in terms.limits.items()},
                throttles={
                    feature: ThrottleAnswer(limit.throttle_after, limit.throttle_per_minute)
                    for feature, limit in terms.limits.items()
                    if limit.throttle_after is not None and limit.throttle_per_minute is not None
                },
            )
        )
