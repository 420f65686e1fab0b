"""A key-encryption key in HashiCorp Vault's (or OpenBao's) Transit engine; address and token as `vault` finds them."""

import os
from base64 import b64decode, b64encode

import hvac
from django.views.decorators.debug import sensitive_variables
from hvac.exceptions import VaultError as HvacError
from requests import RequestException

from vault.errors import KekRefused, KekUnavailable, Unreadable, VaultNotConfigured

_SECONDS = 5
# Releases differ in the status that goes with it, 400 or 500.
_NOT_OURS = ("message authentication failed", "invalid ciphertext")


class TransitKey:
    """Wraps by Transit's encrypt and decrypt, the context as associated data. `location` is mount/key."""

    def __init__(self, location: str) -> None:
        self._mount, _, self._name = location.strip("/").rpartition("/")
        if not self._mount:
            raise KekRefused("A key's location is mount/key, for example transit/quaestor.")

    @sensitive_variables()
    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        """What Transit made of the data key: `vault:v1:…`."""
        arguments = {"plaintext": _base64(data_key), "associated_data": _base64(context)}
        return self._call("encrypt_data", arguments, result="ciphertext").encode()

    @sensitive_variables()
    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """The data key; Unreadable where Transit says that this key with this context did not wrap it."""
        try:
            arguments = {"ciphertext": wrapped.decode("ascii"), "associated_data": _base64(context)}
        except UnicodeDecodeError:
            raise Unreadable("Vault Transit did not wrap this.") from None
        return b64decode(self._call("decrypt_data", arguments, result="plaintext"))

    @sensitive_variables()
    def _call(self, operation: str, arguments: dict[str, str], *, result: str) -> str:
        try:
            transit = _client().secrets.transit
            answer = getattr(transit, operation)(self._name, mount_point=self._mount, **arguments)
            return str(answer["data"][result])
        except HvacError as error:
            if any(words in str(error) for words in _NOT_OURS):
                raise Unreadable("Vault Transit did not wrap this with that key and context.") from None
            raise KekUnavailable(f"Vault Transit does not answer, or refuses: {type(error).__name__}.") from None
        except (RequestException, LookupError, TypeError) as error:
            raise KekUnavailable(f"Vault Transit gives no answer: {type(error).__name__}.") from None


def _client() -> hvac.Client:
    """A new one each time, so that a token that an agent renewed in its file is found."""
    client = hvac.Client(timeout=_SECONDS, namespace=os.environ.get("VAULT_NAMESPACE"))
    if not client.token:
        raise VaultNotConfigured("Vault Transit: set VAULT_TOKEN, or let an agent keep ~/.vault-token.")
    return client


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
