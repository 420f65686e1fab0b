"""An account's plan: what it is, what a change would cost, and the change (P10)."""

from typing import Any

from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.fields import AmountField, InstantField
from billing.api.figures import rate
from billing.api.lookups import billed_workspace
from billing.api.permissions import actor_of, caller_of
from billing.api.serializers import Body, Query, Switch, Text, WholeNumber
from billing.api.subscription_answers import ChangeAnswer, SubscriptionAnswer, change_answer, subscription_answer
from billing.api.views.base import MANAGE_BILLING, SEE_BILLING, ApiView
from billing.api.views.checkout import INTERVALS
from billing.core.problems import problem
from billing.plans.models import PlanPrice
from billing.plans.queries import is_sold_by_seats
from billing.stripe_sync.changes import Expected, Target
from billing.stripe_sync.plan_offers import MOST_SEATS
from billing.stripe_sync.services.cancel_subscription import cancel_subscription
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.preview_change import preview_change
from billing.stripe_sync.services.resume_subscription import resume_subscription
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement, subscription_at
from tenants.services.record_audit import Actor

_TERMS = {"plan_slug", "billing_interval", "variant", "seats"}


class Terms(Body):
    """The terms to be on; what is left out stays as it is."""

    plan_slug = Text(max_length=63, required=False)
    billing_interval = Text(max_length=63, required=False, help_text=INTERVALS)
    variant = serializers.ChoiceField(PlanPrice.Variant.choices, required=False)
    seats = WholeNumber(min_value=1, max_value=MOST_SEATS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise ValidationError(ErrorDetail("Name what is to change.", "required"))
        return attrs


class Change(Terms):
    """Other terms; or, by itself, whether the plan ends with its period.

    `expected_net` and `proration_at` are the `net` and `at` of the preview's proration: a change that would cost
    anything else is refused.
    """

    cancel_at_period_end = Switch(required=False)
    expected_net = AmountField(required=False)
    proration_at = InstantField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate(attrs)
        changes_terms = not _TERMS.isdisjoint(attrs)
        errors = {}
        if "cancel_at_period_end" in attrs and len(attrs) > 1:
            errors["cancel_at_period_end"] = ErrorDetail("It is sent by itself.", "not-with-others")
        if "expected_net" in attrs and not changes_terms:
            errors["expected_net"] = ErrorDetail("It goes with the terms that it was shown for.", "without-terms")
        if "proration_at" in attrs and "expected_net" not in attrs:
            errors["proration_at"] = ErrorDetail("It goes with the expected_net of the same preview.", "without-net")
        if errors:
            raise ValidationError(errors)
        return attrs


class Subscription(ApiView):
    """/v1/workspaces/{workspace}/billing/subscription"""

    scopes = {"GET": SEE_BILLING, "PATCH": MANAGE_BILLING}

    @describe("get_subscription", tag="Subscription", summary="Plan of an account", answer=SubscriptionAnswer)
    def get(self, request: Request, workspace: str) -> Response:
        """As it was last read from Stripe; this needs no answer of Stripe's."""
        Query.read(request)
        account = billed_workspace(caller_of(request), workspace).account
        return Response(subscription_answer(account, now()))

    @describe(
        "change_subscription",
        tag="Subscription",
        summary="Change plan, interval, seats or variant; cancel or resume",
        answer=SubscriptionAnswer,
        body=Change,
    )
    def patch(self, request: Request, workspace: str) -> Response:
        """What it costs more is charged at once, and a card that is declined changes nothing; what it costs less comes
        off the next invoice. A free plan begins when the paid period ends. 409 `account-changed` where the change
        would not cost what was expected.
        """
        Query.read(request)
        account = billed_workspace(caller_of(request), workspace).account
        body = Change.read(request)
        if "cancel_at_period_end" in body:
            _cancel_or_resume(account, body["cancel_at_period_end"], actor_of(request))
        else:
            _change(account, body, actor_of(request))
        return Response(subscription_answer(account, now()))


class SubscriptionPreview(ApiView):
    """POST /v1/workspaces/{workspace}/billing/subscription/preview"""

    scopes = {"POST": MANAGE_BILLING}

    @describe(
        "preview_subscription",
        tag="Subscription",
        summary="What a change would cost",
        answer=ChangeAnswer,
        body=Terms,
    )
    def post(self, request: Request, workspace: str) -> Response:
        """Changes nothing. 409 `no-subscription` where a first paid plan is wanted: that goes by Checkout."""
        Query.read(request)
        account = billed_workspace(caller_of(request), workspace).account
        target = _target(account, Terms.read(request))
        return Response(change_answer(preview_change(account_id=account.id, target=target, at=now())))


def _change(account: BillingAccount, body: dict[str, Any], actor: Actor) -> None:
    target = _target(account, body)
    change_subscription(
        account_id=account.id, target=target, expected=_expected(account, target, body), actor=actor, at=now()
    )


def _expected(account: BillingAccount, target: Target, body: dict[str, Any]) -> Expected:
    """What the caller was shown; where the instant of it is missing, what the change costs just now.

    Raises Problem: account-changed where that is not what the caller expects.
    """
    if "proration_at" in body:
        return Expected(body["expected_net"], body["proration_at"])
    preview = preview_change(account_id=account.id, target=target, at=now())
    if body.get("expected_net", preview.net) != preview.net:
        raise problem(
            "account-changed",
            f"The change would cost {rate(preview.net)} {preview.currency} now, not {rate(body['expected_net'])}.",
            remedy="Preview it, and send both expected_net and proration_at of what is shown.",
        )
    return preview.expected


def _cancel_or_resume(account: BillingAccount, cancel: bool, actor: Actor) -> None:
    if cancel:
        cancel_subscription(account_id=account.id, next_plan_slug="", actor=actor, at=now())
    else:
        resume_subscription(account_id=account.id, actor=actor, at=now())


def _target(account: BillingAccount, body: dict[str, Any]) -> Target:
    """The terms that a body names, the rest as it is now; a plan that is not sold by seats has one of them.

    Raises NoActivePlan.
    """
    present = governing_agreement(account.id) or subscription_at(account.id, now())
    slug = body.get("plan_slug", present.plan_version.plan.slug)
    seats = body.get("seats", present.seats)
    if "seats" not in body and seats > 1 and not is_sold_by_seats(slug):
        seats = 1
    return Target(
        plan_slug=slug,
        interval=body.get("billing_interval", present.interval),
        variant=body.get("variant", present.variant),
        seats=seats,
    )
