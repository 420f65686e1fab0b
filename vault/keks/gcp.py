"""A key-encryption key in Google Cloud KMS, with the application's default credentials (docs/vault.md)."""

import logging
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from django.views.decorators.debug import sensitive_variables
from google.api_core.exceptions import BadRequest, GoogleAPIError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.kms import DecryptRequest, EncryptRequest, KeyManagementServiceClient
from requests import RequestException

from vault.errors import KekRefused, KekUnavailable, Unreadable, VaultNotConfigured
from vault.keks.crc32c import crc32c

# At DEBUG the library writes requests and answers into the log, data keys among them.
logging.getLogger("google").setLevel(logging.INFO)

_SECONDS = 5.0
_NOT_OURS = "Decryption failed"
_LOCATION = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
Answer = TypeVar("Answer")


class GcpKey:
    """Wraps by KMS's encrypt and decrypt, the context as additional authenticated data, checksums both ways."""

    def __init__(self, location: str, client: KeyManagementServiceClient | None = None) -> None:
        if not _LOCATION.fullmatch(location):
            raise KekRefused("A key's location is projects/…/locations/…/keyRings/…/cryptoKeys/…, without a version.")
        self._key = location
        self._given = client

    @sensitive_variables()
    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        """What KMS made of the data key."""
        request = EncryptRequest(
            name=self._key,
            plaintext=data_key,
            plaintext_crc32c=crc32c(data_key),
            additional_authenticated_data=context,
            additional_authenticated_data_crc32c=crc32c(context),
        )
        answer = _asked(lambda: self._client().encrypt(request=request, timeout=_SECONDS, retry=None))
        if not (answer.verified_plaintext_crc32c and answer.verified_additional_authenticated_data_crc32c):
            raise KekUnavailable("Google KMS did not get what was sent.")
        return _undamaged(answer.ciphertext, answer.ciphertext_crc32c)

    @sensitive_variables()
    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """The data key; Unreadable where KMS says that this key with this context did not wrap it."""
        request = DecryptRequest(
            name=self._key,
            ciphertext=wrapped,
            ciphertext_crc32c=crc32c(wrapped),
            additional_authenticated_data=context,
            additional_authenticated_data_crc32c=crc32c(context),
        )
        answer = _asked(lambda: self._client().decrypt(request=request, timeout=_SECONDS, retry=None))
        return _undamaged(answer.plaintext, answer.plaintext_crc32c)

    def _client(self) -> KeyManagementServiceClient:
        return self._given or _default_client()


@sensitive_variables()
def _asked(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except BadRequest as error:
        if _NOT_OURS in str(error.message):
            raise Unreadable("Google KMS did not wrap this with that key and context.") from None
        raise KekUnavailable("Google KMS did not get what was sent, or refuses it.") from None
    except DefaultCredentialsError:
        raise VaultNotConfigured("Google KMS: no application default credentials are here.") from None
    except (GoogleAPIError, GoogleAuthError, RequestException) as error:
        raise KekUnavailable(f"Google KMS does not answer, or refuses: {type(error).__name__}.") from None


@sensitive_variables()
def _undamaged(content: bytes, checksum: int) -> bytes:
    if crc32c(content) != checksum:
        raise KekUnavailable("Google KMS's answer was damaged on the way.")
    return content


@lru_cache
def _default_client() -> KeyManagementServiceClient:
    """One client a process, over HTTP: no threads of a gRPC channel that would not survive a fork."""
    return KeyManagementServiceClient(transport="rest")
