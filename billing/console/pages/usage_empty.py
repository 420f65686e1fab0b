"""What to say where a choice has no usage: none ever, none in the period, or none in the workspace."""

from dataclasses import dataclass
from uuid import UUID

from billing.console.pages.usage_choice import Choice, PeriodOption
from billing.console.usage_queries import last_used_period


@dataclass(frozen=True, slots=True)
class Nothing:
    """`is_new`: the account has never used anything. `last_query` leads to the latest period that has usage."""

    is_new: bool
    last: PeriodOption | None
    last_query: str


def nothing_used(account_id: UUID, choice: Choice) -> Nothing:
    """Of an empty choice; two queries."""
    start = last_used_period(account_id)
    last = next((option for option in choice.periods if option.period.start == start), None)
    if last is not None and last.key == choice.option.key:
        last = None
    return Nothing(start is None, last, choice.query_of(last) if last is not None else "")
