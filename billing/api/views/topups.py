"""/v1/billing/topups: credits bought by card, the platform's fee on top (M4)."""

from datetime import datetime

import msgspec
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.fields import AmountField, ReturnUrl
from billing.api.figures import Money, rate
from billing.api.idempotency import IDEMPOTENCY_KEY, idempotency_key
from billing.api.lookups import billed_by, id_named, nothing_here
from billing.api.pagination import encode_cursor, paged, time_and_id_of
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery, Body, Query
from billing.api.views.base import MANAGE_BILLING, SEE_BILLING, ApiView
from billing.core.ids import encode_id
from billing.stripe_sync.purchases import Purchase, find_purchase, purchases_of
from billing.stripe_sync.services.open_top_up_checkout import open_top_up_checkout


class OpenedTopUpAnswer(msgspec.Struct, frozen=True):
    """A page of Stripe's to pay `total` on: `amount` becomes credits when it is paid, `fee` is the platform's."""

    id: str
    url: str
    amount: Money
    fee: Money
    total: Money
    currency: str


class TopUpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase of credits: `open` until it is paid, then `credited`, or `expired`.

    `taken_back` is the part of the credits that refunds and disputes took again; `url` is where an open one is paid.
    """

    id: str
    state: str
    amount: Money
    fee: Money
    total: Money
    currency: str
    taken_back: Money
    url: str | None
    created_at: datetime
    credited_at: datetime | None


class TopUpsAnswer(msgspec.Struct, frozen=True):
    """A page of an account's purchases of credits, the newest first."""

    results: list[TopUpAnswer]
    next: str | None


class NewTopUp(Body):
    """Credits to buy, in the account's currency, and where to return to."""

    amount = AmountField()
    success_url = ReturnUrl()
    cancel_url = ReturnUrl()
    workspace = serializers.CharField(required=False, max_length=100, help_text="Slug or id of a workspace.")


class TopUps(ApiView):
    """/v1/billing/topups"""

    scopes = {"GET": SEE_BILLING, "POST": MANAGE_BILLING}

    @describe("list_topups", tag="Credits", summary="Credits bought", answer=TopUpsAnswer, query=AccountPageQuery)
    def get(self, request: Request) -> Response:
        """Purchases by card, whether they were paid or not."""
        query = AccountPageQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        purchases = purchases_of(
            credits_id=account.credits_id, limit=query["limit"] + 1, before=time_and_id_of(query), at=now()
        )
        return Response(TopUpsAnswer(*paged(purchases, query["limit"], _answer, _position)))

    @describe(
        "open_topup",
        tag="Credits",
        summary="Open Checkout for credits",
        answer=OpenedTopUpAnswer,
        body=NewTopUp,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """Card only; for the account of the workspace, or of the key's, or the tenant's default account."""
        Query.read(request)
        body, key = NewTopUp.read(request), idempotency_key(request)
        account = billed_by(caller_of(request), body.get("workspace")).account
        opened = open_top_up_checkout(
            account_id=account.id,
            amount=body["amount"],
            success_url=body["success_url"],
            cancel_url=body["cancel_url"],
            idempotency_key=key,
            at=now(),
        )
        return Response(
            OpenedTopUpAnswer(
                id=encode_id("top", opened.id),
                url=opened.url,
                amount=rate(opened.amount),
                fee=rate(opened.fee),
                total=rate(opened.total),
                currency=account.currency,
            )
        )


class TopUpDetail(ApiView):
    """GET /v1/billing/topups/{topup_id}"""

    scopes = {"GET": SEE_BILLING}

    @describe("get_topup", tag="Credits", summary="A purchase of credits", answer=TopUpAnswer)
    def get(self, request: Request, topup_id: str) -> Response:
        """Of any account that the key can see."""
        Query.read(request)
        caller = caller_of(request)
        purchase = find_purchase(
            tenant_id=caller.tenant_id,
            workspace_id=caller.workspace_id,
            top_up_id=id_named("top", topup_id),
            at=now(),
        )
        if purchase is None:
            raise nothing_here()
        return Response(_answer(purchase))


def _position(purchase: Purchase) -> str:
    return encode_cursor(purchase.top_up.id, purchase.top_up.created_at)


def _answer(purchase: Purchase) -> TopUpAnswer:
    top_up = purchase.top_up
    return TopUpAnswer(
        id=encode_id("top", top_up.id),
        state=top_up.state,
        amount=rate(top_up.amount),
        fee=rate(top_up.fee),
        total=rate(top_up.total),
        currency=top_up.currency,
        taken_back=rate(top_up.taken_back),
        url=purchase.url,
        created_at=top_up.created_at,
        credited_at=top_up.credited_at,
    )
