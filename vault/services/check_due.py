import time
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from tenants.services.record_audit import SYSTEM
from vault.errors import VaultError
from vault.models import Credential
from vault.services.ask_provider import ask_provider
from vault.services.validate_credential import apply_if_unchanged

_log = structlog.get_logger(__name__)
# A worker that dies leaves its key to be claimed again; longer than the run of a worker below and one slow provider.
_CLAIM = timedelta(minutes=3)
_LONGEST_RUN = 60.0  # seconds


def check_due(*, at: datetime, limit: int = 50) -> int:
    """Check the keys that are due at their providers; answers how many (K9). No transaction may be open.

    Each is claimed before it is asked about, so that workers share the keys, and no row is locked meanwhile.
    """
    ends = time.monotonic() + _LONGEST_RUN
    checked = 0
    while checked < limit and time.monotonic() < ends:
        key = _claim(at)
        if key is None:
            break
        _check(key, at)
        checked += 1
    return checked


@transaction.atomic
def _claim(at: datetime) -> Credential | None:
    due = Credential.objects.filter(revoked_at=None, disabled_at=None, next_check_at__lte=at)
    key = due.select_for_update(skip_locked=True, no_key=True).order_by("next_check_at").first()
    if key is not None:
        key.next_check_at = at + _CLAIM
        key.save(update_fields=["next_check_at"])
    return key


def _check(key: Credential, at: datetime) -> None:
    try:
        verdict = ask_provider(key=key, actor=SYSTEM, at=at)
    except VaultError as error:  # of the vault's own keys: it says nothing of this one, which is due again soon
        _log.warning("key_not_checked", credential=str(key.id), error=type(error).__name__)
        return
    apply_if_unchanged(seen=key, verdict=verdict, at=at)
