"""POST /v1/workspaces/{workspace}/billing/byo-toggle: own provider keys or the platform's, at their prices (K11)."""

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.idempotency import IDEMPOTENCY_KEY, answered_once, idempotency_key
from billing.api.lookups import billed_workspace
from billing.api.permissions import actor_of, caller_of
from billing.api.serializers import Body, Query, Switch
from billing.api.subscription_answers import ProrationAnswer, price_answer, proration_answer
from billing.api.views.base import MANAGE_BILLING, ApiView
from billing.api.views.plans import PriceAnswer
from billing.stripe_sync.services.toggle_byok import toggle_byok


class ToggleAnswer(msgspec.Struct, frozen=True):
    """Whether the account runs on its own provider keys, what its plan costs so, and what the switch cost."""

    enabled: bool
    price: PriceAnswer
    proration: ProrationAnswer


class Toggle(Body):
    """Whose provider keys the account is to run on: true for its own."""

    enabled = Switch()


class ByoToggle(ApiView):
    """POST /v1/workspaces/{workspace}/billing/byo-toggle"""

    scopes = {"POST": MANAGE_BILLING}

    @describe(
        "toggle_byok",
        tag="Subscription",
        summary="Switch between the platform's provider keys and one's own",
        answer=ToggleAnswer,
        body=Toggle,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, workspace: str) -> Response:
        """402 `plan-without-byok` where the plan has no such price. What is switched already costs nothing."""
        Query.read(request)
        account = billed_workspace(caller_of(request), workspace).account
        body, key, at = Toggle.read(request), idempotency_key(request), now()

        def toggle() -> ToggleAnswer:
            toggled = toggle_byok(account_id=account.id, enabled=body["enabled"], actor=actor_of(request), at=at)
            return ToggleAnswer(toggled.enabled, price_answer(toggled.price), proration_answer(toggled.proration))

        return Response(
            answered_once(account_id=account.id, operation="byo-toggle", key=key, body=body, do=toggle, at=at)
        )
