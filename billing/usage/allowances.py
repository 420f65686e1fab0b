"""How much of its counted entitlements an account has used: counters of the current window, and gauges."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.plans.features import FEATURES, FeatureKind
from billing.subscriptions.terms import AccountTerms
from billing.usage.gauges import live_agents, stored_bytes
from billing.usage.queries import counters_of

# Tries in the sandbox, the only counter of a day, run elsewhere: nothing counts them, so that nothing is said of them.
COUNTERS = tuple(code for code, feature in FEATURES.items() if feature.kind is FeatureKind.COUNTER_PERIOD)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Used and left of a feature, in its unit. `remaining` is None where the feature is unlimited, never negative."""

    used: int
    remaining: int | None


def allowances_of(terms: AccountTerms, at: datetime) -> dict[str, Allowance]:
    """The plan's counted features by code, in three queries; what running authorizations have reserved is used."""
    windows = {feature: terms.window(feature, at).start for feature in COUNTERS}
    used = counters_of(account_id=terms.account_id, windows=windows) | {
        "agents_limit": Decimal(live_agents(terms.account_id)),
        "kb_storage_bytes_limit": Decimal(stored_bytes(terms.account_id)),
    }
    return {feature: allowance(terms, feature, used[feature]) for feature in terms.limits if feature in used}


def allowance(terms: AccountTerms, feature: str, used: Decimal) -> Allowance:
    """What is left of a feature of which `used` is taken."""
    limit = terms.limit(feature).number
    return Allowance(int(used), None if limit is None else max(0, int(limit - used)))
