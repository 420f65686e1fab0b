"""What several pages of the vault show alike."""

from django.db.models import OuterRef, QuerySet, Subquery

from vault.models import Credential, CredentialVersion

HEALTH_COLOURS = {
    "valid": "success",
    "restricted": "info",
    "unverified": "info",
    "expiring": "warning",
    "rate_limited": "warning",
    "unreachable": "danger",
    "quota_exhausted": "danger",
    "invalid": "danger",
}


def with_last_four(credentials: QuerySet[Credential]) -> QuerySet[Credential]:
    """Each with the last characters of its current version, the only ones that anybody sees again (K2)."""
    current = CredentialVersion.objects.filter(credential_id=OuterRef("id"), number=OuterRef("current_number"))
    return credentials.annotate(last_four=Subquery(current.values("last_four")[:1]))


def last_four(credential: Credential) -> str:
    """Of a row that `with_last_four` has read."""
    shown = vars(credential)["last_four"]
    return f"…{shown}" if shown else "–"
