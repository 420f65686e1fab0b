"""How much of its counted entitlements an account has used: counters of the current window, gauges, and money."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.plans.features import FEATURES, FeatureKind
from billing.subscriptions.terms import AccountTerms
from billing.usage.gauges import live_agents, stored_bytes
from billing.usage.queries import counters_of

COUNTERS = tuple(
    code for code, feature in FEATURES.items() if feature.kind in {FeatureKind.COUNTER_PERIOD, FeatureKind.COUNTER_DAY}
)
DAY_CAP = "spend_cap_per_day"
OVERAGE = "overage"
"""The counter of what executions past the limit have cost in a period: not a feature, the customer's own choice."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Used and left of a feature, in its unit. `remaining` is None where the feature is unlimited, never negative."""

    used: int
    remaining: int | None


@dataclass(frozen=True, slots=True)
class Spending:
    """The same in money, in the account's currency."""

    used: Decimal
    remaining: Decimal | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account has used of what its plan counts; what running authorizations have reserved is used.

    `spend` has the caps of an account's day that there are, `overage` what executions past the limit have cost.
    """

    allowances: dict[str, Allowance]
    spend: dict[str, Spending]
    overage: Decimal


def standing_of(terms: AccountTerms, at: datetime) -> Standing:
    """Counters, gauges and money by code, in three queries."""
    windows = {feature: terms.window(feature, at).start for feature in (*COUNTERS, DAY_CAP)}
    used = counters_of(account_id=terms.account_id, windows=windows | {OVERAGE: terms.period(at).start})
    overage, spent = used.pop(OVERAGE), used.pop(DAY_CAP)
    used["agents_limit"] = Decimal(live_agents(terms.account_id))
    used["kb_storage_bytes_limit"] = Decimal(stored_bytes(terms.account_id))
    return Standing(
        allowances={feature: allowance(terms, feature, used[feature]) for feature in terms.limits if feature in used},
        spend={DAY_CAP: _spending(terms, spent)} if DAY_CAP in terms.limits else {},
        overage=overage,
    )


def allowances_of(terms: AccountTerms, at: datetime) -> dict[str, Allowance]:
    """The plan's counted features by code, in three queries; what running authorizations have reserved is used."""
    return standing_of(terms, at).allowances


def allowance(terms: AccountTerms, feature: str, used: Decimal) -> Allowance:
    """What is left of a feature of which `used` is taken."""
    limit = terms.limit(feature).number
    return Allowance(int(used), None if limit is None else max(0, int(limit - used)))


def overage_used(terms: AccountTerms, at: datetime) -> Decimal:
    """What executions past the limit have cost in the period, running ones counted; one query."""
    return counters_of(account_id=terms.account_id, windows={OVERAGE: terms.period(at).start})[OVERAGE]


def _spending(terms: AccountTerms, used: Decimal) -> Spending:
    limit = terms.limit(DAY_CAP).number
    return Spending(used, None if limit is None else max(Decimal(0), limit - used))
