"""What a plan can grant: the registry of features that catalogues, quotas and comparison tables share (P3, P6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FeatureKind(StrEnum):
    """How a feature's value is read and counted."""

    COUNTER_PERIOD = "counter_period"  # used up within a billing period
    COUNTER_DAY = "counter_day"  # used up within a UTC day
    GAUGE = "gauge"  # what exists now
    CONCURRENCY = "concurrency"  # what runs now
    LARGEST = "largest"  # size of one single item
    SWITCH = "switch"
    LIST = "list"
    TEXT = "text"
    DURATION = "duration"  # seconds
    AMOUNT_DAY = "amount_day"  # money within a UTC day, in the catalogue's currency
    BOUND = "bound"  # what is still normal; beyond it something is stopped

    @property
    def is_whole_number(self) -> bool:
        return self in WHOLE_NUMBER_KINDS

    @property
    def may_be_unlimited(self) -> bool:
        return self.is_whole_number or self is FeatureKind.AMOUNT_DAY


WHOLE_NUMBER_KINDS = frozenset(
    {
        FeatureKind.COUNTER_PERIOD,
        FeatureKind.COUNTER_DAY,
        FeatureKind.GAUGE,
        FeatureKind.CONCURRENCY,
        FeatureKind.LARGEST,
        FeatureKind.DURATION,
        FeatureKind.BOUND,
    }
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that plans grant.

    `limit_code` is the stable problem code of a refusal at the limit; None where there is no limit to reach.
    """

    code: str
    kind: FeatureKind
    name: str
    unit: str = ""
    limit_code: str | None = None


def _registry(*features: Feature) -> Mapping[str, Feature]:
    return MappingProxyType({feature.code: feature for feature in features})


FEATURES: Mapping[str, Feature] = _registry(
    Feature("agents_limit", FeatureKind.GAUGE, "Running agents", unit="agent", limit_code="quota-exceeded-agents"),
    Feature(
        "executions_per_month",
        FeatureKind.COUNTER_PERIOD,
        "Executions per month",
        unit="execution",
        limit_code="quota-exceeded-executions",
    ),
    Feature(
        "tokens_per_month",
        FeatureKind.COUNTER_PERIOD,
        "Tokens per month",
        unit="token",
        limit_code="quota-exceeded-tokens",
    ),
    Feature(
        "sandbox_tries_per_day",
        FeatureKind.COUNTER_DAY,
        "Sandbox tries per day",
        unit="try",
        limit_code="quota-exceeded-sandbox-tries",
    ),
    Feature(
        "concurrent_sessions_limit",
        FeatureKind.CONCURRENCY,
        "Concurrent sessions",
        unit="session",
        limit_code="quota-exceeded-concurrent-sessions",
    ),
    Feature(
        "max_tokens_per_execution",
        FeatureKind.LARGEST,
        "Tokens per execution",
        unit="token",
        limit_code="quota-exceeded-tokens-per-execution",
    ),
    Feature(
        "kb_storage_bytes_limit",
        FeatureKind.GAUGE,
        "Knowledge base storage",
        unit="byte",
        limit_code="quota-exceeded-kb-storage",
    ),
    Feature(
        "kb_max_upload_bytes_limit",
        FeatureKind.LARGEST,
        "Largest knowledge base upload",
        unit="byte",
        limit_code="quota-exceeded-kb-upload-size",
    ),
    Feature(
        "spend_cap_per_user_day",
        FeatureKind.AMOUNT_DAY,
        "Spend cap per user and day",
        unit="currency",
        limit_code="spend-cap-exceeded",
    ),
    Feature(
        "spend_cap_per_day",
        FeatureKind.AMOUNT_DAY,
        "Spend cap per day",
        unit="currency",
        limit_code="spend-cap-exceeded",
    ),
    # A session that runs more often, or the same again and again, is taken for a loop and stopped (M9).
    Feature("session_runs_per_minute", FeatureKind.BOUND, "Runs of a session per minute", unit="run"),
    Feature("session_repeats_limit", FeatureKind.BOUND, "Equal runs of a session in a row", unit="run"),
    # `all` in the list stands for every channel there is; other words are a channel or a level of service.
    Feature("channels", FeatureKind.LIST, "Channels"),
    # Shell patterns, matched case-sensitively against the provider's model id.
    Feature("denied_models", FeatureKind.LIST, "Models not included"),
    Feature("mcp_enabled", FeatureKind.SWITCH, "MCP servers"),
    Feature("byok_enabled", FeatureKind.SWITCH, "Bring your own key"),
    Feature("log_retention_seconds", FeatureKind.DURATION, "Agent log retention", unit="second"),
    Feature("support", FeatureKind.TEXT, "Support"),
    Feature("sla", FeatureKind.TEXT, "Service level"),
)
"""Every feature by code, in the order in which comparison tables show them."""
