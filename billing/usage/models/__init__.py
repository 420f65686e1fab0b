from billing.usage.models.alert import BurnAlert, LowBalance, UsageWatch
from billing.usage.models.counter import Counter
from billing.usage.models.event import UsageEvent
from billing.usage.models.knowledge import KnowledgeSource
from billing.usage.models.mark import DocumentMark
from billing.usage.models.rollup import PeriodRollup, PlaceRollup, SessionRollup, UsageDelta, UsageRollup

__all__ = [
    "BurnAlert",
    "Counter",
    "DocumentMark",
    "KnowledgeSource",
    "LowBalance",
    "PeriodRollup",
    "PlaceRollup",
    "SessionRollup",
    "UsageDelta",
    "UsageEvent",
    "UsageRollup",
    "UsageWatch",
]
