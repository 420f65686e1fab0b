"""What the vault refuses or cannot do. No message carries a key, a ciphertext or a provider's words."""


class VaultError(Exception):
    """The vault cannot do what was asked."""


class VaultNotConfigured(VaultError):
    """No usable key-encryption key. The message tells an operator what to do; it is not for customers."""


class KekRefused(VaultNotConfigured):
    """A key-encryption key that is there, and that the vault will not use or make."""


class KekUnavailable(VaultError):
    """The service that keeps the key-encryption key does not answer; another try may succeed."""


class Unreadable(VaultError):
    """A ciphertext that does not decrypt as what its row says it is."""


class KeyRejected(VaultError):
    """A key that its provider does not accept, so that it is not stored (K2)."""

    def __init__(self, reason: str, health: str) -> None:
        self.reason = reason
        self.health = health
        super().__init__(reason)


class ProviderUnreachable(VaultError):
    """A provider gave no answer, so that nothing is known of a key (K2)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Unanswered(VaultError):
    """A call that nobody answered. `sentence` says why, with {side} for who was asked."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)

    def told_of(self, side: str) -> str:
        """The sentence about a `provider`, or whoever it was."""
        return self.sentence.replace("{side}", side)


class AddressNotAllowed(VaultError):
    """An address that a tenant entered and that we do not connect to (K3, N1)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class CredentialExists(VaultError):
    """The tenant has a key of that name for the provider."""


class UnknownProvider(VaultError):
    """No provider of that name is in the registry."""


class NotUsable(VaultError):
    """A key that is not handed out (K4). `reason` is a word of the resolution, `detail` a sentence for the tenant."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


class AllKeysRest(VaultError):
    """Every platform key of a provider cools down or is broken (K12). `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"All keys rest for {retry_after} s.")


class InvalidValue(VaultError):
    """Something given of a key that cannot be: `field` says which, `reason` is a sentence."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(reason)


class HoldsKey(InvalidValue):
    """A value in which a key stands: no answer repeats it (K2)."""


class NothingToRestore(VaultError):
    """A key without a replaced version that is still kept."""

    def __init__(self) -> None:
        super().__init__("No replaced version of the key is kept any more.")


class ChangedMeanwhile(VaultError):
    """A key that somebody else rotated or revoked at the same time; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("The key was changed by somebody else at the same time. Look at it again.")
