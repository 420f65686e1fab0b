from billing.usage.models.counter import Counter
from billing.usage.models.event import UsageEvent
from billing.usage.models.knowledge import KnowledgeSource
from billing.usage.models.rollup import UsageDelta, UsageRollup

__all__ = ["Counter", "KnowledgeSource", "UsageDelta", "UsageEvent", "UsageRollup"]
