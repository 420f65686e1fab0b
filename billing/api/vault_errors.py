"""What the vault refuses, as problems. Their words are ours: no key, no provider's answer is in them (K2)."""

import structlog

from billing.core.problems import FieldError, Problem, problem
from vault.errors import (
    AddressNotAllowed,
    ChangedMeanwhile,
    CredentialExists,
    InvalidValue,
    KeyRejected,
    NothingToRestore,
    NotUsable,
    ProviderUnreachable,
    UnknownProvider,
    Unreadable,
    VaultError,
    VaultNotConfigured,
)
from vault.providers import PROVIDERS

_log = structlog.get_logger(__name__)

# What services call a value, where requests call it otherwise.
_FIELDS = {"plain": "api_key", "key": "api_key", "overlap": "overlap_hours"}
_SOON = 5  # seconds after which a provider or a key service may answer again


def vault_problem(error: VaultError) -> Problem:
    """The problem that a refusal of the vault is; what it says to operators alone is not repeated."""
    match error:
        case KeyRejected() | AddressNotAllowed() | UnknownProvider() | InvalidValue():
            return _of_request(error)
        case CredentialExists() | NotUsable() | NothingToRestore() | ChangedMeanwhile():
            return _of_state(error)
        case _:
            return _of_our_side(error)


def _of_request(error: KeyRejected | AddressNotAllowed | UnknownProvider | InvalidValue) -> Problem:
    match error:
        case KeyRejected():
            return problem(
                "provider-key-rejected",
                f"The provider does not accept the key: {error.reason}",
                remedy="Copy the key again from the provider's pages, or make a new one there.",
                errors=(FieldError("api_key", error.health.replace("_", "-"), error.reason),),
            )
        case AddressNotAllowed():
            return problem(
                "base-url-not-allowed",
                f"The address is not one that keys are sent to: {error.reason}",
                errors=(FieldError("base_url", "not-allowed", error.reason),),
            )
        case InvalidValue():
            field = _FIELDS.get(error.field, error.field)
            return problem("invalid-request", error.reason, errors=(FieldError(field, "invalid", error.reason),))
        case UnknownProvider():
            known = f"The vault knows these providers: {', '.join(sorted(PROVIDERS))}."
            return problem("invalid-request", known, errors=(FieldError("provider", "unknown-provider", known),))


def _of_state(error: CredentialExists | NotUsable | NothingToRestore | ChangedMeanwhile) -> Problem:
    match error:
        case CredentialExists():
            return problem(
                "credential-exists",
                "There is a key of this name for the provider.",
                remedy="Choose another name, or rotate the key that is there.",
                errors=(FieldError("name", "taken", "Another key has this name."),),
            )
        case NotUsable():
            return problem("credential-revoked", error.detail, remedy="Add a new key.")
        case NothingToRestore():
            return problem("nothing-to-change", str(error))
        case ChangedMeanwhile():
            return problem("credential-changed", str(error))


def _of_our_side(error: VaultError) -> Problem:
    match error:
        case ProviderUnreachable():
            return problem(
                "provider-unreachable",
                f"The key could not be checked: {error.reason}",
                remedy="Nothing was stored: try again in a moment.",
                retry_after=_SOON,
            )
        case VaultNotConfigured():
            _log.error("vault_not_configured", reason=str(error))
            return problem(
                "vault-not-configured",
                "This installation keeps no provider keys yet.",
                remedy="Its operator sets a key-encryption key up.",
            )
        case Unreadable():
            _log.error("credential_unreadable", reason=str(error))
            return problem("credential-unreadable", "The key cannot be read from the vault.", remedy="Rotate it.")
        case _:
            _log.error("vault_unavailable", reason=str(error))
            return problem("service-unavailable", "The vault cannot be used just now.", retry_after=_SOON)
