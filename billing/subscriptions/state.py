"""Plain values: what a payment processor's subscription looks like to us, and the terms that an account is on."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """One subscription at the processor, as one fresh read shows it; times are UTC.

    `status` is one of `Agreement.Status`. `cancel_at` is when it ends instead of renewing, `next_plan_slug` the free
    plan that its subscriber chose for then.
    """

    external_id: str
    status: str
    plan_version_id: UUID
    interval: str
    variant: str
    seats: int
    anchor: datetime
    started_at: datetime
    period_start: datetime
    period_end: datetime
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    next_plan_slug: str = ""


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan version and how an account has it; `agreement_id` is of the paid agreement that it comes from, if any."""

    plan_version_id: UUID
    interval: str
    variant: str
    seats: int
    anchor: datetime
    agreement_id: UUID | None = None
