"""What a key-encryption key must show before anything is wrapped with it."""

import secrets
from hmac import compare_digest

from django.views.decorators.debug import sensitive_variables

from vault.crypto.aead import KEY_BYTES
from vault.errors import KekRefused, Unreadable
from vault.keks.base import KeyWrapper
from vault.models import DataKey

_LONGEST = DataKey._meta.get_field("wrapped").max_length or 0


def prove(wrapper: KeyWrapper) -> None:
    """Wrap a key made for this and unwrap it again, from this process, with its settings and its rights.

    A service that ignores the context (an old Transit, a key of another type) would bind data keys to nothing.
    Raises KekRefused, and what the wrapper raises.
    """
    data_key, context = secrets.token_bytes(KEY_BYTES), b"quaestor proof " + secrets.token_bytes(16)
    wrapped = wrapper.wrap(data_key, context=context)
    if data_key in wrapped or len(wrapped) > _LONGEST:
        raise KekRefused("The key-encryption key does not wrap, or makes too much of it.")
    if not gives_back(wrapper, wrapped, data_key, context=context):
        raise KekRefused("The key-encryption key does not give back what it wrapped.")
    if gives_back(wrapper, wrapped, data_key, context=context + b"."):
        raise KekRefused("The key-encryption key unwraps with another context, so that it binds a key to nothing.")


@sensitive_variables()
def gives_back(wrapper: KeyWrapper, wrapped: bytes, data_key: bytes, *, context: bytes) -> bool:
    """Whether the wrapped bytes are this data key in this context."""
    try:
        return compare_digest(wrapper.unwrap(wrapped, context=context), data_key)
    except Unreadable:
        return False
