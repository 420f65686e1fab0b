"""What the console says of limits: their figures, who set them, and what helps when one is near (P6, P8, M9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.console.figures import OVER_PERCENT, WARN_PERCENT, format_bytes, format_count, format_money, format_rate
from billing.plans.features import FEATURES, FeatureKind
from billing.subscriptions.own_caps import OWN_CAP
from billing.subscriptions.terms import Limit
from billing.usage.allowances import OVERAGE

EXECUTIONS, SESSIONS = "executions_per_month", "concurrent_sessions_limit"
OVERAGE_NAME = "Paid executions past the limit"


@dataclass(frozen=True, slots=True)
class Action:
    """A page that helps: its route's name, with what comes after `#`, and the words of the link."""

    route: str
    text: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a limit is used. `resets_at` is the end of its window; None for what exists or runs now.

    `source` is the limit's (`plan:<slug>`, `override`, `cap`); `user` is whose cap it is. `overage_price` is what an
    execution past the limit costs, None where the plan sells none; `has_overage`: the customer pays for them.
    `slowed` tells how runs are slowed now, before the limit.
    """

    feature: str
    used: Decimal
    quota: Decimal
    percent: int
    resets_at: datetime | None
    source: str
    currency: str
    user: str = ""
    overage_price: Decimal | None = None
    has_overage: bool = False
    slowed: str = ""

    @property
    def name(self) -> str:
        return limit_name(self.feature)

    @property
    def is_over(self) -> bool:
        return self.percent >= OVER_PERCENT

    @property
    def needs_advice(self) -> bool:
        """Whether to tell what helps: it is nearly used up, or runs are slowed."""
        return self.percent >= WARN_PERCENT or bool(self.slowed)

    @property
    def used_text(self) -> str:
        return figure(self.feature, self.used, self.currency)

    @property
    def quota_text(self) -> str:
        return figure(self.feature, self.quota, self.currency)

    @property
    def source_text(self) -> str:
        return source_text(self.feature, self.source)

    @property
    def consequence(self) -> str:
        """What happens at the limit, in a sentence; `waits` tells whether its window's end lifts it."""
        return _consequence(self)

    @property
    def waits(self) -> bool:
        return self.resets_at is not None and not (self.feature == EXECUTIONS and self.has_overage)

    @property
    def actions(self) -> Sequence[Action]:
        return _actions(self)


def limit_name(feature: str) -> str:
    """What customers call a limit."""
    if feature == OVERAGE:
        return OVERAGE_NAME
    return FEATURES[feature].name if feature in FEATURES else feature


def figure(feature: str, number: Decimal, currency: str) -> str:
    """An amount of money, a size or a count, by what the limit is of."""
    known = FEATURES.get(feature)
    if feature == OVERAGE or (known is not None and known.kind is FeatureKind.AMOUNT_DAY):
        return format_money(number, currency)
    if known is not None and known.unit == "byte":
        return format_bytes(int(number))
    return format_count(number)


def percent_of(used: Decimal | int, quota: Decimal) -> int:
    """Whole percent, rounded down, so that nothing is used up before it is; of a limit of zero everything is."""
    return int(used * 100 / quota) if quota else OVER_PERCENT


def slowed_text(limit: Limit, used: Decimal) -> str:
    """How runs are slowed once so much of a limit is used (P7); empty where they are not."""
    if limit.throttle_after is None or limit.throttle_per_minute is None or used < limit.throttle_after:
        return ""
    runs = "One run" if limit.throttle_per_minute == 1 else f"{limit.throttle_per_minute:,} runs"
    return f"{runs} a minute may start, past {limit.throttle_after:,}."


def source_text(feature: str, source: str) -> str:
    """Who set a limit."""
    if source == OWN_CAP or feature == OVERAGE:
        return "You"
    return "Agreed with you" if source == "override" else "Your plan"


def _consequence(share: Share) -> str:
    match share.feature:
        case "executions_per_month" if share.has_overage:
            price = format_rate(share.overage_price or Decimal(0), share.currency)
            return f"Each execution past the limit costs {price}." if share.is_over else ""
        case "agents_limit":
            return _when(share, "New agents are refused. Retire one to make room.")
        case "kb_storage_bytes_limit":
            return _when(share, "Uploads are refused. Remove a source to make room.")
        case "concurrent_sessions_limit":
            return _when(share, "New sessions are refused until one ends.")
        case "sandbox_tries_per_day":
            return _when(share, "Tries in the sandbox are refused")
        case "spend_cap_per_day" | "spend_cap_per_user_day":
            return _when(share, "Runs that cost something are refused")
    return _when(share, "Runs are refused")


def _when(share: Share, text: str) -> str:
    return text if share.is_over else ""


def _actions(share: Share) -> list[Action]:
    plans = Action("console:plans", "See plans with more")
    match share.feature:
        case "executions_per_month" if share.has_overage:
            return [Action("console:alerts", "See what it may cost", "overage")]
        case "executions_per_month" if share.overage_price is not None:
            return [Action("console:alerts", "Pay for more executions", "overage"), plans]
        case "overage":
            return [Action("console:alerts", "Raise the ceiling", "overage"), plans]
        case "spend_cap_per_day" | "spend_cap_per_user_day" if share.source == OWN_CAP:
            return [Action("console:alerts", "Raise your cap", "caps")]
        case "concurrent_sessions_limit":
            return [Action("console:sessions", "See who holds them"), plans]
    return [plans]
