from datetime import datetime, timedelta

from vault.health import EXPIRED, after_silence, aged, next_check
from vault.models import Credential, Health, HealthChange
from vault.providers import Verdict

_WRITTEN = (
    *("health", "health_reason", "health_since", "checked_at", "next_check_at"),
    *("failures", "cools_until", "current_number", "expires_at", "disabled_at", "revoked_at"),
)


def set_health(*, key: Credential, health: Health, reason: str, source: HealthChange.Source, at: datetime) -> None:
    """Write down what is known of a key now, with what else was changed on `key`, whose row the caller has locked (K9).

    A change leaves a line for those who tell the owners; the same again moves only the next check.
    """
    known = aged(health, key.expires_at, at)
    if known == Health.INVALID != health:
        reason = EXPIRED
    if known != key.health:
        HealthChange.objects.create(credential=key, before=key.health, after=known, reason=reason, source=source, at=at)
        key.health_since = at
    key.health, key.health_reason = known, reason
    key.next_check_at = next_check(known, failures=key.failures, expires_at=key.expires_at, at=at)
    key.save(update_fields=_WRITTEN)


def apply_verdict(*, key: Credential, verdict: Verdict, at: datetime, is_asked: bool = False) -> None:
    """Write down what a check at the provider found; the caller has locked the key's row and compared its version.

    Silence breaks a key that worked only when it lasts, unless somebody asked for this check and sees its answer.
    A valid key's failures are forgotten, but not while a platform key rests for them, unless somebody asked.
    """
    key.checked_at = at
    if verdict.health == Health.UNREACHABLE:
        key.failures += 1
        known = after_silence(Health(key.health), key.failures)
        health = verdict.health if is_asked and known != Health.REVOKED else known
        reason = verdict.reason if health == Health.UNREACHABLE else key.health_reason
    else:
        health, reason = verdict.health, verdict.reason
        if is_asked or key.cools_until is None or key.cools_until <= at:
            key.failures, key.cools_until = 0, None
    set_health(key=key, health=health, reason=reason, source=HealthChange.Source.CHECK, at=at)
    if verdict.health == Health.RATE_LIMITED and verdict.retry_after is not None:
        _wait(key, at + timedelta(seconds=verdict.retry_after))


def _wait(key: Credential, until: datetime) -> None:
    """The provider said when to ask again."""
    key.next_check_at = max(key.next_check_at or until, until)
    if key.tenant_id is None:
        key.cools_until = until
    key.save(update_fields=["next_check_at", "cools_until"])
