from vault.models.assignment import Assignment, KeyPolicy
from vault.models.credential import BROKEN, Credential, CredentialVersion, Health
from vault.models.host import AllowedHost
from vault.models.keys import DataKey, KeyEncryptionKey
from vault.models.platform_key import PlatformKey
from vault.models.record import CredentialAccess, HealthChange
from vault.models.sealed_text import SealedText

__all__ = [
    "BROKEN",
    "AllowedHost",
    "Assignment",
    "Credential",
    "CredentialAccess",
    "CredentialVersion",
    "DataKey",
    "Health",
    "HealthChange",
    "KeyEncryptionKey",
    "KeyPolicy",
    "PlatformKey",
    "SealedText",
]
