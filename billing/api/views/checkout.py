"""Stripe's own pages: Checkout for a plan (S2), and the customer portal (S3)."""

import msgspec
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.fields import ReturnUrl
from billing.api.idempotency import IDEMPOTENCY_KEY, idempotency_key
from billing.api.lookups import billed_workspace
from billing.api.permissions import actor_of, caller_of
from billing.api.serializers import Body, Query, Text, WholeNumber
from billing.api.views.base import MANAGE_BILLING, ApiView
from billing.plans.models import PlanPrice
from billing.stripe_sync.plan_offers import MOST_SEATS
from billing.stripe_sync.services.open_plan_checkout import open_plan_checkout
from billing.stripe_sync.services.open_portal import open_portal

# Like the plan's name: one that is not there is not found.
INTERVALS = "`monthly` or `yearly`."


class CheckoutAnswer(msgspec.Struct, frozen=True):
    """A page of Stripe's to pay on; the plan begins when it is paid."""

    id: str
    url: str


class PortalAnswer(msgspec.Struct, frozen=True):
    """A page of Stripe's for cards and invoices, for a short time."""

    url: str


class PlanChoice(Body):
    """A plan to pay for, and where to return to."""

    plan_slug = Text(max_length=63)
    billing_interval = Text(max_length=63, help_text=INTERVALS)
    variant = serializers.ChoiceField(PlanPrice.Variant.choices, default=PlanPrice.Variant.STANDARD)
    seats = WholeNumber(min_value=1, max_value=MOST_SEATS, default=1)
    success_url = ReturnUrl()
    cancel_url = ReturnUrl()


class PortalReturn(Body):
    """Where to return to."""

    return_url = ReturnUrl()


class PlanCheckout(ApiView):
    """POST /v1/workspaces/{workspace}/billing/checkout-session"""

    scopes = {"POST": MANAGE_BILLING}

    @describe(
        "open_checkout",
        tag="Subscription",
        summary="Open Checkout for a plan",
        answer=CheckoutAnswer,
        body=PlanChoice,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, workspace: str) -> Response:
        """Card only. 404 for a plan or interval that is not on offer, `billing-return-url-not-allowed` for a foreign
        origin, 409 `subscription-exists` where a change of plan is meant; `stripe-not-configured` comes after these.
        """
        Query.read(request)
        account = billed_workspace(caller_of(request), workspace).account
        body, key = PlanChoice.read(request), idempotency_key(request)
        opened = open_plan_checkout(
            account_id=account.id,
            plan_slug=body["plan_slug"],
            interval=body["billing_interval"],
            variant=body["variant"],
            seats=body["seats"],
            success_url=body["success_url"],
            cancel_url=body["cancel_url"],
            idempotency_key=key,
            at=now(),
            actor=actor_of(request),
        )
        return Response(CheckoutAnswer(opened.id, opened.url))


class Portal(ApiView):
    """POST /v1/workspaces/{workspace}/billing/portal"""

    scopes = {"POST": MANAGE_BILLING}

    @describe(
        "open_portal",
        tag="Subscription",
        summary="Open the customer portal",
        answer=PortalAnswer,
        body=PortalReturn,
    )
    def post(self, request: Request, workspace: str) -> Response:
        """409 `no-stripe-customer` before the first checkout."""
        Query.read(request)
        account = billed_workspace(caller_of(request), workspace).account
        body = PortalReturn.read(request)
        return Response(PortalAnswer(open_portal(account_id=account.id, return_url=body["return_url"], at=now())))
