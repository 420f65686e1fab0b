from datetime import datetime
from uuid import UUID

from django.db import transaction

from vault.health import REPORT_WORDS, after_silence, cool_down, reported_health
from vault.models import Credential, Health, HealthChange
from vault.platform_keys import forget_platform_keys
from vault.services.set_health import set_health


def report_outcome(*, credential_id: UUID, number: int, outcome: str, at: datetime) -> None:
    """Take what a run says of the key that it was on (K9, K12); what is no word about keys changes nothing.

    A report about a version that is no longer in use is passed over. A tenant's key changes its health; a platform key
    rests, and is checked at once where the provider refused it: one caller's word does not break what all share.
    """
    reported = reported_health(outcome)
    if reported is None:
        return
    with transaction.atomic():
        keys = Credential.objects.select_for_update(no_key=True)
        key = keys.filter(id=credential_id, current_number=number, revoked_at=None).first()
        if key is None:
            return
        if key.tenant_id is None:
            _rest(key, reported, at)
            return
        key.failures += 1
        health, reason = reported, REPORT_WORDS[reported]
        if reported == Health.UNREACHABLE and after_silence(Health(key.health), key.failures) != reported:
            health, reason = Health(key.health), key.health_reason  # one silence says little, a broken key stays so
        set_health(key=key, health=health, reason=reason, source=HealthChange.Source.RUN, at=at)


def _rest(key: Credential, reported: Health, at: datetime) -> None:
    """Reports that come while the key rests are of runs that began before: one failure, not many in a row."""
    if key.cools_until is None or key.cools_until <= at:
        key.failures += 1
    rested = at + cool_down(reported, key.failures)
    key.cools_until = max(key.cools_until or rested, rested)
    if reported == Health.INVALID:
        key.next_check_at = at
    key.save(update_fields=["failures", "cools_until", "next_check_at"])
    transaction.on_commit(forget_platform_keys)
