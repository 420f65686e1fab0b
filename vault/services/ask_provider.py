from datetime import datetime

from tenants.services.record_audit import Actor
from vault.checking import check_key
from vault.errors import Unreadable
from vault.health import EXPIRED, UNREADABLE
from vault.models import Credential, CredentialAccess, CredentialVersion, Health
from vault.providers import Verdict
from vault.records import note_access
from vault.versions import unseal_current


def ask_provider(*, key: Credential, actor: Actor, at: datetime) -> Verdict:
    """What the provider says of a stored key's current version; no transaction may be open (K2, K9).

    Reading the text is written down before it is used. A key that is past its end is not sent anywhere, and one that
    does not decrypt is invalid. Raises KekUnavailable and VaultNotConfigured, which say nothing of the key.
    """
    if key.expires_at is not None and key.expires_at <= at:
        return Verdict(Health.INVALID, EXPIRED)
    number = key.current_number
    version = CredentialVersion.objects.filter(credential=key, number=number).first()
    try:
        plain = unseal_current(key, version, tenant_id=key.tenant_id)
    except Unreadable:
        note_access(key=key, number=number, outcome=CredentialAccess.Outcome.UNREADABLE, actor=actor, at=at)
        return Verdict(Health.INVALID, UNREADABLE)
    note_access(key=key, number=number, outcome=CredentialAccess.Outcome.GRANTED, actor=actor, at=at)
    return check_key(provider=key.provider, plain=plain, base_url=key.base_url)
