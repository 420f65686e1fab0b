"""A key-encryption key in AWS KMS. Credentials, region and endpoint are found as boto3 finds them (docs/vault.md)."""

import logging
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from django.views.decorators.debug import sensitive_variables

from vault.errors import KekRefused, KekUnavailable, Unreadable, VaultNotConfigured

# At DEBUG botocore writes requests and answers into the log, data keys among them.
logging.getLogger("botocore").setLevel(logging.INFO)

_WAITS = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
_NOT_OURS = {"InvalidCiphertextException", "IncorrectKeyException"}


class AwsKey:
    """Wraps by KMS's Encrypt and Decrypt. The context goes along as encryption context, so that KMS binds to it."""

    def __init__(self, location: str) -> None:
        if "alias/" in location:
            raise KekRefused("Name the key by its ARN or id: an alias can be pointed at another key.")
        self._key = location

    @sensitive_variables()
    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        """What KMS made of the data key."""
        answer = self._call("encrypt", Plaintext=data_key, EncryptionContext=_named(context))
        return bytes(answer["CiphertextBlob"])

    @sensitive_variables()
    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """The data key; Unreadable where KMS says that this key with this context did not wrap it."""
        answer = self._call("decrypt", CiphertextBlob=wrapped, EncryptionContext=_named(context))
        return bytes(answer["Plaintext"])

    @sensitive_variables()
    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            client = _client(_region_of(self._key))
            answer: dict[str, Any] = getattr(client, operation)(KeyId=self._key, **arguments)
        except (NoCredentialsError, NoRegionError) as error:
            raise VaultNotConfigured(f"AWS KMS: {error}") from None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _NOT_OURS:
                raise Unreadable("AWS KMS did not wrap this with that key and context.") from None
            raise KekUnavailable(f"AWS KMS refuses to {operation}: {code}.") from None
        except BotoCoreError as error:
            raise KekUnavailable(f"AWS KMS does not answer: {type(error).__name__}.") from None
        return answer


def _named(context: bytes) -> dict[str, str]:
    """The context as KMS takes it; it is written into CloudTrail and holds ids alone."""
    return {"quaestor": context.hex()}


def _region_of(key: str) -> str | None:
    """An ARN names its region; a bare id leaves it to the environment."""
    return key.split(":")[3] if key.startswith("arn:") and key.count(":") > 4 else None


@lru_cache
def _client(region: str | None) -> Any:
    """One client a region, as making one takes a tenth of a second; clients are thread-safe, sessions are not."""
    return boto3.session.Session().client("kms", region_name=region, config=_WAITS)
