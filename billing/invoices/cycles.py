"""When cycles of an account end, and who closes them (P5, I1)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from billing.core.periods import Period
from billing.invoices.drafting import Span
from billing.invoices.models import BillingCycle
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import Agreement, BillingAccount
from billing.usage.periods import boundary_after, first_period_start, period_at

_LAST_INVOICE = timedelta(hours=3)  # within which the processor has made a subscription's last invoice
_RENEWAL = timedelta(hours=72)  # after which a renewal that has not come is not waited for
_INSTANT = timedelta(minutes=1)


def grace() -> timedelta:
    """How long after its end a cycle is closed, so that usage that is reported a little late is in it."""
    return timedelta(minutes=settings.INVOICE_GRACE_MINUTES)


def new_cycle(account: BillingAccount, starts_at: datetime) -> BillingCycle:
    """The open cycle from an instant on, not saved. Raises NoActivePlan."""
    ends_at = boundary_after(account.id, starts_at)
    return BillingCycle(
        account_id=account.id,
        starts_at=starts_at,
        ends_at=ends_at,
        seen_version=account.version,
        due_at=ends_at + grace(),
    )


def first_cycle(account: BillingAccount) -> BillingCycle | None:
    """The cycle that an account begins with; None before its first plan."""
    try:
        return new_cycle(account, first_period_start(account.id))
    except NoActivePlan:
        return None


def span_of(cycle: BillingCycle, *, until: datetime, at: datetime) -> Span:
    """What a document on the cycle is about, up to an instant."""
    current = period_at(account_id=cycle.account_id, instant=cycle.starts_at, at=max(at, cycle.starts_at)).start
    return Span(Period(cycle.starts_at, until), current)


def usage_until(cycle: BillingCycle, span: Span, at: datetime) -> datetime:
    """Usage of periods that began before this instant is the cycle's: its end, or where the next one's period began.

    A plan's first period may begin a little before the plan itself: the payment processor counts in seconds.
    """
    following = period_at(account_id=cycle.account_id, instant=cycle.ends_at, at=max(at, cycle.ends_at)).start
    return following if span.current < following < cycle.ends_at else cycle.ends_at


def awaited_until(cycle: BillingCycle) -> datetime | None:
    """How long to wait for the processor's own invoice on the cycle; None where none is to come.

    A subscription that began with the cycle's end, or after it, does not ask for what was before it.
    """
    agreements = Agreement.objects.filter(account_id=cycle.account_id, started_at__lt=cycle.ends_at - _INSTANT)
    if agreements.filter(governs=True, status__in=Agreement.LIVE).exists():
        return cycle.ends_at + _RENEWAL
    if agreements.filter(ended_at__gte=cycle.ends_at - _INSTANT).exists():
        return cycle.ends_at + _LAST_INVOICE
    return None


def outdated_cycles(account_id: UUID | None = None) -> list[UUID]:
    """Running cycles, of all accounts or of one, whose account has changed since their end was read."""
    changed = BillingCycle.objects.filter(~Q(account__version=F("seen_version")), state=BillingCycle.State.OPEN)
    chosen = changed if account_id is None else changed.filter(account_id=account_id)
    return list(chosen.values_list("id", flat=True))
