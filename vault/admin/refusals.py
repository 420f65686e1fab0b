"""What the vault refuses, as a form says it to staff."""

from vault.errors import (
    AllKeysRest,
    CredentialExists,
    KeyRejected,
    ProviderUnreachable,
    Unreadable,
    VaultError,
    VaultNotConfigured,
)

_WORDS: dict[type[VaultError], str] = {
    VaultNotConfigured: "The vault has no key-encryption key yet: `manage.py create_kek` makes one (docs/vault.md).",
    CredentialExists: "The provider has a key of this name already.",
    Unreadable: "The key cannot be decrypted. Rotate it to a new text.",
    AllKeysRest: "All keys of the provider rest.",
}


def in_words(error: VaultError) -> str:
    """A sentence for people; nothing of what a provider answered or what was typed."""
    match error:
        case KeyRejected():
            return f"The provider does not accept this key: {error.reason}"
        case ProviderUnreachable():
            return f"The provider could not be asked: {error.reason} Try again in a moment."
        case _:
            return _WORDS.get(type(error), str(error))
