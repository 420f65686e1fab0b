"""GET, PUT /v1/billing/spend-controls: a customer's own caps, overage and alerts (P8, M9)."""

from datetime import datetime

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.fields import AmountField
from billing.api.figures import Amount, Money, amount, rate
from billing.api.lookups import billed_by
from billing.api.permissions import actor_of, caller_of
from billing.api.serializers import AccountQuery, Changes, Switch
from billing.api.views.base import MANAGE_BILLING, SEE_BILLING, ApiView
from billing.subscriptions.models import BillingAccount, SpendControls
from billing.subscriptions.own_caps import overage_price
from billing.subscriptions.queries import spend_controls, terms_of
from billing.subscriptions.services.set_spend_controls import set_spend_controls
from billing.usage.allowances import overage_used

_CAPS = ("overage_ceiling", "daily_cap", "user_daily_cap")


class ControlsAnswer(msgspec.Struct, frozen=True):
    """An account's own controls, in `currency`; `null` is no cap. Caps lower the plan's limits and never lift them.

    `overage_ceiling` is for a billing period, the caps are for a UTC day. `overage_price` is what an execution past the
    plan's limit costs, `null` where the plan sells none; `overage_used` is what they have cost in this period, running
    ones counted.
    """

    overage_enabled: bool
    overage_ceiling: Money | None
    daily_cap: Money | None
    user_daily_cap: Money | None
    burn_alerts: bool
    low_balance_threshold: Money
    overage_price: Money | None
    overage_used: Amount
    currency: str


class NewControls(Changes):
    """What is to change, one field or more; a field that is left out stays as it is, and `null` lifts a cap."""

    overage_enabled = Switch(required=False)
    overage_ceiling = AmountField(required=False, allow_null=True)
    daily_cap = AmountField(required=False, allow_null=True)
    user_daily_cap = AmountField(required=False, allow_null=True)
    burn_alerts = Switch(required=False)
    low_balance_threshold = AmountField(required=False)


class Controls(ApiView):
    """/v1/billing/spend-controls"""

    scopes = {"GET": SEE_BILLING, "PUT": MANAGE_BILLING}

    @describe(
        "get_spend_controls",
        tag="Controls",
        summary="Caps, overage and alerts",
        answer=ControlsAnswer,
        query=AccountQuery,
    )
    def get(self, request: Request) -> Response:
        """What the customer has set, and what overage costs."""
        query = AccountQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        return Response(_answer(account, spend_controls(account.id), now()))

    @describe(
        "set_spend_controls",
        tag="Controls",
        summary="Set caps, overage and alerts",
        answer=ControlsAnswer,
        body=NewControls,
        query=AccountQuery,
    )
    def put(self, request: Request) -> Response:
        """Holds for the next run. 402 `overage-not-offered` where the plan sells no executions past its limit."""
        query = AccountQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        body, known, at = NewControls.read(request), spend_controls(account.id), now()
        caps = {name: body.get(name, getattr(known, name)) for name in _CAPS}
        controls = set_spend_controls(
            account_id=account.id,
            overage_enabled=body.get("overage_enabled", known.overage_enabled),
            burn_alerts=body.get("burn_alerts", known.burn_alerts),
            low_balance_threshold=body.get("low_balance_threshold"),
            at=at,
            actor=actor_of(request),
            **caps,
        )
        account.refresh_from_db(fields=["low_balance_threshold"])
        return Response(_answer(account, controls, at))


def _answer(account: BillingAccount, controls: SpendControls, at: datetime) -> ControlsAnswer:
    terms = terms_of(account.id, at)
    price = overage_price(terms.limits, terms.meters)
    shown = {name: None if getattr(controls, name) is None else rate(getattr(controls, name)) for name in _CAPS}
    return ControlsAnswer(
        overage_enabled=controls.overage_enabled,
        burn_alerts=controls.burn_alerts,
        low_balance_threshold=rate(account.low_balance_threshold),
        overage_price=None if price is None else rate(price),
        overage_used=amount(overage_used(terms, at)),
        currency=account.currency,
        **shown,
    )
