"""GET /v1/quota/tokens: the period's allowance of tokens."""

from datetime import datetime

import msgspec
import structlog
from django.db import Error
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.lookups import billed_by
from billing.api.permissions import caller_of
from billing.api.serializers import AccountQuery
from billing.api.views.base import ApiView
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.allowances import Allowance, allowance
from billing.usage.queries import counters_of
from tenants.permissions import Permission

TOKENS = "tokens_per_month"
_log = structlog.get_logger(__name__)


class TokenQuotaAnswer(msgspec.Struct, frozen=True):
    """Tokens of the period on the platform's keys, running authorizations counted.

    `limit` is `null` where the plan sets none; `used` is `null` while it cannot be told.
    """

    limit: int | None
    used: int | None
    remaining: int | None
    window_start: datetime
    window_end: datetime


class TokenQuota(ApiView):
    """GET /v1/quota/tokens"""

    scopes = {"GET": (Permission.BILLING_VIEW, Permission.BILLING_MANAGE, Permission.USAGE_WRITE, Permission.RUNTIME)}

    @describe(
        "get_token_quota", tag="Plans", summary="Tokens left in the period", answer=TokenQuotaAnswer, query=AccountQuery
    )
    def get(self, request: Request) -> Response:
        """The account's, over all its workspaces."""
        query = AccountQuery.read(request)
        at = now()
        terms = terms_of(billed_by(caller_of(request), query.get("workspace")).account.id, at)
        window, limit = terms.period(at), terms.limit(TOKENS).number
        taken = _taken(terms, window.start)
        return Response(
            TokenQuotaAnswer(
                limit=None if limit is None else int(limit),
                used=None if taken is None else taken.used,
                remaining=None if taken is None else taken.remaining,
                window_start=window.start,
                window_end=window.end,
            )
        )


def _taken(terms: AccountTerms, window_start: datetime) -> Allowance | None:
    try:
        counters = counters_of(account_id=terms.account_id, windows={TOKENS: window_start})
    except Error:
        # A runtime that asks before a run is better served by a limit without a figure than by no answer.
        _log.exception("token_counter_unreadable")
        return None
    return allowance(terms, TOKENS, counters[TOKENS])
