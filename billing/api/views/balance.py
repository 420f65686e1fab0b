"""GET /v1/billing/balance: prepaid credits."""

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, Number, amount, number
from billing.api.lookups import billed_by
from billing.api.permissions import caller_of
from billing.api.serializers import AccountQuery
from billing.api.views.base import SEE_BILLING, ApiView
from billing.credits.queries import balance_of


class BalanceAnswer(msgspec.Struct, frozen=True):
    """Prepaid credits, in `currency`. The balance includes what is held; `available` is what can still be spent.

    `owed` goes on the next invoice.
    """

    currency: str
    balance: Number
    credits: Number
    low_balance_threshold: Number
    held: Amount
    available: Amount
    owed: Amount


class Balance(ApiView):
    """GET /v1/billing/balance"""

    scopes = {"GET": SEE_BILLING}

    @describe("get_balance", tag="Credits", summary="Balance of an account", answer=BalanceAnswer, query=AccountQuery)
    def get(self, request: Request) -> Response:
        """Credits that have expired are not counted."""
        query = AccountQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        balance = balance_of(credits_id=account.credits_id, receivable_id=account.receivable_id, at=now())
        return Response(
            BalanceAnswer(
                currency=balance.currency,
                balance=number(balance.posted),
                credits=number(balance.posted),
                low_balance_threshold=number(account.low_balance_threshold),
                held=amount(balance.held),
                available=amount(balance.available),
                owed=amount(balance.owed),
            )
        )
