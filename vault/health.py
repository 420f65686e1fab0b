"""What becomes of a key's health: pure rules over what checks, runs and clocks say (K9)."""

from datetime import datetime, timedelta

from vault.models import BROKEN, Health
from vault.outcomes import health_reported

UNREADABLE = "The vault cannot decrypt it."
EXPIRED = "It has expired."
EXPIRES_SOON = timedelta(days=14)
# One silence says little of a key that worked before: it is unreachable from this number of failures in a row.
_SILENCES = 3
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_WAITS = {
    Health.VALID: timedelta(hours=1),
    Health.EXPIRING: timedelta(hours=1),
    Health.RESTRICTED: timedelta(hours=6),
    Health.INVALID: timedelta(hours=6),
    Health.QUOTA_EXHAUSTED: timedelta(minutes=15),
    Health.RATE_LIMITED: timedelta(minutes=1),
}
REPORT_WORDS = {
    Health.RATE_LIMITED: "A run was rate limited.",
    Health.INVALID: "A run was refused for its key.",
    Health.QUOTA_EXHAUSTED: "A run found the quota exhausted.",
    Health.RESTRICTED: "A run was refused what the key may not do.",
    Health.UNREACHABLE: "Runs could not reach the provider.",
}
_NEWS = BROKEN | {Health.RESTRICTED, Health.EXPIRING}
# Here only silences are failures: what else failed would have changed the health.
_DOUBLING = frozenset({Health.UNVERIFIED, Health.UNREACHABLE, Health.VALID, Health.EXPIRING, Health.RESTRICTED})


def reported_health(outcome: str) -> Health | None:
    """What a run's outcome says of its key; None where it says nothing."""
    reported = health_reported(outcome)
    return Health(reported) if reported is not None else None


def aged(health: Health, expires_at: datetime | None, at: datetime) -> Health:
    """The health with the key's own end in mind: expiring within 14 days while otherwise valid, invalid past it."""
    if expires_at is None or health == Health.REVOKED:
        return health
    if expires_at <= at:
        return Health.INVALID
    return Health.EXPIRING if health == Health.VALID and expires_at - at <= EXPIRES_SOON else health


def after_silence(health: Health, failures: int) -> Health:
    """The health when the provider gave no answer, for so many failures in a row with this one; what stopped runs
    before still does."""
    return Health.UNREACHABLE if health not in BROKEN and failures >= _SILENCES else health


def next_check(health: Health, *, failures: int, expires_at: datetime | None, at: datetime) -> datetime | None:
    """When the key is due for a check; a revoked one never is. After a silence in one minute, doubling to an hour."""
    if health == Health.REVOKED:
        return None
    is_silent = health not in _WAITS or (failures > 0 and health in _DOUBLING)
    due = at + (doubling(failures) if is_silent else _WAITS[health])
    return min(due, expires_at) if expires_at is not None and expires_at > at else due


def doubling(failures: int) -> timedelta:
    """One minute after the first failure in a row, an hour at most."""
    return min(_FIRST_WAIT * (1 << min(max(failures - 1, 0), 10)), _LONGEST_WAIT)


def cool_down(health: Health, failures: int) -> timedelta:
    """How long a platform key rests after a failed use, the last of so many in a row (K12)."""
    match health:
        case Health.RATE_LIMITED:
            return timedelta(seconds=30)
        case Health.QUOTA_EXHAUSTED:
            return timedelta(minutes=15)
        case _:
            return doubling(failures)


def is_news(before: str, after: str) -> bool:
    """Whether the key's owners are told of a change: what stops runs or soon will, and that it is over (K9)."""
    return after in _NEWS or before in BROKEN
