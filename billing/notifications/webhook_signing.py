"""Secrets and signatures of webhooks, as the Standard Webhooks specification has them (N1)."""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from django.views.decorators.debug import sensitive_variables

from vault.crypto.secret import Secret

PURPOSE = "webhook"
"""What the vault keeps these secrets for."""
_PREFIX = "whsec_"
_BYTES = 30  # of the 24 to 64 that the specification allows: Base64 without padding


def new_secret() -> Secret:
    """A random secret in its written form."""
    return Secret(_PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode())


def signature_header(valid: Sequence[Secret], *, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature by each secret that is valid, divided by spaces; `timestamp` is in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signature(secret, signed) for secret in valid)


@sensitive_variables()
def _signature(secret: Secret, signed: bytes) -> str:
    key = b64decode(secret.reveal().removeprefix(_PREFIX))
    return f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}"
