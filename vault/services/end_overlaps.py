from datetime import datetime
from uuid import UUID

from django.db import transaction

from vault.models import Credential, CredentialVersion
from vault.versions import erase_versions


def end_overlaps(*, at: datetime) -> int:
    """Erase replaced versions whose time to go back is over; answers how many (K8)."""
    due = CredentialVersion.objects.filter(revoked_at=None, overlap_ends_at__lte=at).order_by("credential_id")
    return sum(_end(key_id, at) for key_id in due.values_list("credential_id", flat=True).distinct())


@transaction.atomic
def _end(credential_id: UUID, at: datetime) -> int:
    """Of one key, under its lock; never the version in use. A key that somebody is at is due again next time."""
    keys = Credential.objects.select_for_update(skip_locked=True, no_key=True)
    key = keys.filter(id=credential_id).first()
    if key is None:
        return 0
    due = CredentialVersion.objects.filter(credential=key, revoked_at=None, overlap_ends_at__lte=at)
    numbers = due.exclude(number=key.current_number).values_list("number", flat=True)
    return erase_versions(key=key, numbers=list(numbers), at=at)
