"""The plans on offer: to everybody, and to a workspace that has one of them."""

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponseBase
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Quantity, Rate, quantity, rate
from billing.api.lookups import billed_workspace
from billing.api.permissions import caller_of
from billing.api.renderers import encode
from billing.api.serializers import Query
from billing.api.views.base import SEE_BILLING, ApiView, PublicView, public_answer
from billing.plans.features import FEATURES
from billing.plans.models import PlanVersion
from billing.plans.queries import published_plans
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.offers import offers_to


class PriceAnswer(msgspec.Struct, frozen=True):
    """What a plan costs an interval, for the platform's keys (`standard`) or the tenant's own (`byok`)."""

    interval: str
    variant: str
    currency: str
    amount: Rate
    per_seat: bool


class MeterAnswer(msgspec.Struct, frozen=True):
    """What a unit of a product costs after the quantity that each period includes."""

    product: str
    unit: str
    currency: str
    unit_price: Rate
    included: Quantity


class PlanAnswer(msgspec.Struct, frozen=True):
    """A plan on offer. An entitlement of `null` is unlimited; one that is absent is not limited either."""

    slug: str
    name: str
    version: int
    catalogue: str
    description: str
    is_custom: bool
    prices: list[PriceAnswer]
    meters: list[MeterAnswer]
    entitlements: dict[str, Any]
    entitlements_per_seat: list[str]


class PlansAnswer(msgspec.Struct, frozen=True):
    """All public plans."""

    plans: list[PlanAnswer]


class WorkspacePlansAnswer(msgspec.Struct, frozen=True):
    """All public plans, and the one that the workspace's account has, in the version that it subscribed to."""

    current_plan_slug: str | None
    current_plan_version: int | None
    plans: list[PlanAnswer]


class PublicPlans(PublicView):
    """GET /v1/pricing/plans"""

    @describe("list_public_plans", tag="Pricing", summary="Plans and their prices", answer=PlansAnswer)
    def get(self, request: Request) -> HttpResponseBase:
        """Needs no key."""
        Query.read(request)
        plans = [plan_answer(version) for version in published_plans() if version.plan.is_public]
        return public_answer(request, encode(PlansAnswer(plans)))


class WorkspacePlans(ApiView):
    """GET /v1/workspaces/{workspace}/billing/plans"""

    scopes = {"GET": SEE_BILLING}

    @describe("list_workspace_plans", tag="Plans", summary="Plans that can be chosen", answer=WorkspacePlansAnswer)
    def get(self, request: Request, workspace: str) -> Response:
        """The public plans, and the present one in the version subscribed to, even where it is not offered any more."""
        Query.read(request)
        offers = offers_to(_account_id(request, workspace), now())
        plans = [plan_answer(version) for version in offers.plans]
        if offers.current is None:
            return Response(WorkspacePlansAnswer(None, None, plans))
        return Response(WorkspacePlansAnswer(offers.current.plan.slug, offers.current.number, plans))


def _account_id(request: Request, workspace: str) -> UUID | None:
    try:
        return billed_workspace(caller_of(request), workspace).account.id
    except NoActivePlan:
        return None


def plan_answer(version: PlanVersion) -> PlanAnswer:
    """A version with its prices, meters and entitlements loaded."""
    entitlements = {row.feature: row for row in version.entitlements.all()}
    known = [entitlements[code] for code in FEATURES if code in entitlements]
    return PlanAnswer(
        slug=version.plan.slug,
        name=version.plan.name,
        version=version.number,
        catalogue=version.plan.catalogue,
        description=version.plan.description,
        is_custom=version.plan.is_custom,
        prices=[
            PriceAnswer(price.interval, price.variant, version.currency, rate(price.amount), price.per_seat)
            for price in version.prices.all()
        ],
        meters=[
            MeterAnswer(meter.product, meter.unit, version.currency, rate(meter.unit_price), quantity(meter.included))
            for meter in version.meters.all()
        ],
        entitlements={row.feature: row.value for row in known},
        entitlements_per_seat=[row.feature for row in known if row.per_seat],
    )
