"""Bodies and parameters of /v1/vault. A provider's key becomes a secret as it is read, and no refusal repeats what was
sent: an unknown field may be called like the key, and a wrong value may be it (K2).
"""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from billing.api.fields import InstantField
from billing.api.serializers import Body, PageQuery, Query, StrictSerializer, Switch, Text, WholeNumber
from vault.crypto.redaction import shows_a_key
from vault.crypto.secret import Secret
from vault.models import KeyPolicy
from vault.providers import PROVIDERS

LONGEST_KEY = 512  # characters
LONGEST_OVERLAP = 24 * 30  # hours
_KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")
_SPELLINGS = ("api_key", "key", "secret")
_KNOWN = ", ".join(sorted(PROVIDERS))


class _Discreet(StrictSerializer):
    """Repeats an unknown name only where it looks like a field's, and no value at all."""

    @staticmethod
    def shown(name: str) -> str:
        return name if len(name) <= 30 and _NAME.fullmatch(name) else "(not shown)"


class VaultBody(_Discreet, Body):
    """A body that may hold a provider's key, also where it does not belong."""


class VaultQuery(_Discreet, Query):
    """Parameters of an address that nothing secret belongs into, and that repeat none of it."""


class VaultPageQuery(_Discreet, PageQuery):
    """Which page of a list of the vault's."""


class AccessQuery(VaultPageQuery):
    """Which accesses to list."""

    credential = serializers.CharField(required=False, max_length=100, help_text="Of this key alone.")


@extend_schema_field({"type": "string", "format": "password", "minLength": 1, "maxLength": LONGEST_KEY})
class SecretField(serializers.Field[Secret, Any, Any, Any]):
    """A provider's key, which leaves this field as a `Secret`. White space around it is left behind."""

    default_error_messages = {
        "invalid": f"A key is 1 to {LONGEST_KEY} visible ASCII characters without spaces between them."
    }

    def __init__(self) -> None:
        super().__init__(write_only=True, required=False)

    def to_internal_value(self, data: Any) -> Secret:
        text = data.strip() if isinstance(data, str) else ""
        if _KEY.fullmatch(text) is None:
            self.fail("invalid")
        return Secret(text)


@extend_schema_field({"type": "string", "enum": sorted(PROVIDERS)})
class ProviderField(Text):
    """A provider of the registry, by its id."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in PROVIDERS:
            raise ValidationError(f"The vault knows these providers: {_KNOWN}.", "unknown-provider")
        return data


class Word(serializers.ChoiceField):
    """One of a few words; which ones a refusal says, and not what was sent instead."""

    def __init__(self, words: list[str], **options: Any) -> None:
        super().__init__(words, error_messages={"invalid_choice": f"One of: {', '.join(words)}."}, **options)


class OpenText(Text):
    """A text that everybody in the tenant may read, so that nothing may stand in it that looks like a key."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if shows_a_key(text):
            raise ValidationError("The key itself is no part of this text.", "holds-a-key")
        return text


class _WithKey(VaultBody):
    """A body with one key, in whichever of the usual spellings; `plain` in what `read` returns, None where absent."""

    api_key = SecretField()
    key = SecretField()
    secret = SecretField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        sent = [attrs.pop(name) for name in _SPELLINGS if name in attrs]
        if len(sent) > 1:
            raise ValidationError({"api_key": ErrorDetail("The key stands more than once.", "ambiguous")})
        return attrs | {"plain": sent[0] if sent else None}


class NewCredential(_WithKey):
    """A provider's key to add. `key` and `secret` are other spellings of `api_key`; one of them is sent."""

    provider = ProviderField()
    name = Text(required=False, max_length=100, help_text="What people call it; else the provider's name.")
    base_url = Text(required=False, max_length=300, help_text="Of machines of one's own, where the provider is so.")
    expires_at = InstantField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        value = super().validate(attrs)
        if value["plain"] is None and PROVIDERS[value["provider"]].needs_key:
            raise ValidationError({"api_key": ErrorDetail("This field is required.", "required")})
        return value


class Rotation(_WithKey):
    """The key that replaces another; `key` and `secret` are other spellings of `api_key`; one of them is sent."""

    overlap_hours = WholeNumber(
        required=False,
        min_value=0,
        max_value=LONGEST_OVERLAP,
        help_text="How long the replaced key can be gone back to; 0 erases it at once. Else the installation's own.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        value = super().validate(attrs)
        if value["plain"] is None:
            raise ValidationError({"api_key": ErrorDetail("This field is required.", "required")})
        return value


class CredentialChange(VaultBody):
    """What to change of a key; what is not sent stays."""

    name = Text(required=False, max_length=100)
    disabled = Switch(required=False)
    expires_at = InstantField(required=False, allow_null=True)


class NewPolicy(VaultBody):
    """What happens where no usable key of one's own is found; null leaves it to the plan."""

    fallback = Word(KeyPolicy.Fallback.values, allow_null=True)
