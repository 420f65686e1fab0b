"""What a customer's own controls make of the plan's limits: caps only ever lower them (P8, M9)."""

from collections.abc import Mapping
from decimal import Decimal

from billing.plans.features import FEATURES
from billing.subscriptions.models import SpendControls
from billing.subscriptions.terms import Limit, Meter, Overage

OWN_CAP = "cap"
"""The source of a limit that the customer has set."""

EXECUTIONS = "executions"
"""The metered product that plans sell executions past the limit as."""


def with_own_caps(limits: Mapping[str, Limit], controls: SpendControls | None) -> dict[str, Limit]:
    """The limits, each lowered to the customer's own cap where that is below it."""
    if controls is None:
        return dict(limits)
    caps = {"spend_cap_per_day": controls.daily_cap, "spend_cap_per_user_day": controls.user_daily_cap}
    lowered = {code: _lower(limits.get(code), cap) for code, cap in caps.items() if cap is not None}
    merged = {**limits, **lowered}
    return {code: merged[code] for code in FEATURES if code in merged}


def overage_of(
    limits: Mapping[str, Limit], meters: Mapping[str, Meter], controls: SpendControls | None
) -> Overage | None:
    """What executions past the limit cost; None where the customer has not opted in, or the plan sells none."""
    if controls is None or not controls.overage_enabled or controls.overage_ceiling is None:
        return None
    price = overage_price(limits, meters)
    return None if price is None else Overage(price=price, ceiling=controls.overage_ceiling)


def overage_price(limits: Mapping[str, Limit], meters: Mapping[str, Meter]) -> Decimal | None:
    """What an execution past the limit costs; None where the plan limits none, or sells none past the limit (P8)."""
    limit, meter = limits.get("executions_per_month"), meters.get(EXECUTIONS)
    if limit is None or limit.number is None or meter is None:
        return None
    return meter.price.tiers[0].unit_price


def _lower(limit: Limit | None, cap: Decimal) -> Limit:
    if limit is not None and limit.number is not None and limit.number <= cap:
        return limit
    return Limit(f"{cap:.2f}", OWN_CAP)
