"""What the vault refuses, told by a form: what is wrong, and what helps. Never with the key's text (K2)."""

from django import forms
from django.http import QueryDict

from vault.errors import (
    AddressNotAllowed,
    ChangedMeanwhile,
    CredentialExists,
    HoldsKey,
    InvalidValue,
    KekUnavailable,
    KeyRejected,
    NothingToRestore,
    NotUsable,
    ProviderUnreachable,
    Unreadable,
    VaultError,
    VaultNotConfigured,
)
from vault.models import Health

_NOT_READY = "Keys cannot be taken just now: the vault here is not ready. Nothing was stored. Try again later."
_FIELDS = {
    "key": "api_key",
    "plain": "api_key",
    "secret": "api_key",
    "expires_at": "expires_on",
    "models": "named",
    "overlap": "overlap_hours",
    "workspace": "place",
    "office": "place",
}


def refuse(form: forms.Form, refusal: VaultError) -> None:
    """Put a refusal at the field that it is about; the form does not repeat a value with a key in it (K2)."""
    field = field_of(refusal)
    if isinstance(refusal, HoldsKey) and field is not None and isinstance(form.data, QueryDict):
        kept = form.data.copy()
        kept[field] = ""
        form.data = kept
    form.add_error(field if field in form.fields else None, refusal_text(refusal))


def field_of(refusal: VaultError) -> str | None:
    """The field of the console's forms; None where it is about none of them."""
    match refusal:
        case InvalidValue(field=field):
            return _FIELDS.get(field, field)
        case KeyRejected():
            return "api_key"
        case AddressNotAllowed():
            return "base_url"
        case CredentialExists():
            return "name"
    return None


def refusal_text(refusal: VaultError) -> str:
    """What is wrong and what helps, in whole sentences."""
    match refusal:
        case KeyRejected(reason=reason, health=health):
            return f"{_sentence(reason)} {_help_with(health)}"
        case ProviderUnreachable(reason=reason):
            return f"{_sentence(reason)} The key could not be checked, and nothing was stored. Try again in a moment."
        case AddressNotAllowed(reason=reason) | InvalidValue(reason=reason):
            return _sentence(reason)
        case CredentialExists():
            return "You have a key of this name for the provider. Choose another name."
        case NotUsable(detail=detail):
            return _sentence(detail)
        case Unreadable():
            return "The key cannot be read from the vault. Enter its text again as a replacement."
        case VaultNotConfigured() | KekUnavailable():
            return _NOT_READY
        case NothingToRestore() | ChangedMeanwhile():
            return str(refusal)
    return "That is not possible with this key."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _help_with(health: str) -> str:
    if health == Health.QUOTA_EXHAUSTED:
        return "Add funds there and try again. Nothing was stored."
    return "Copy the whole key once more, or make a new one. Nothing was stored."
