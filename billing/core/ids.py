"""Public ids: a readable prefix and a UUIDv7, such as `evt_0192f3a0c5b77e1c8d2f4a6b8c0d1e2f`.

UUIDv7 starts with its time in milliseconds, so that new rows land at the end of an index.
"""

import re
from uuid import UUID

from uuid_utils.compat import uuid7

_HEX = re.compile(r"[0-9a-f]{32}")


class InvalidId(ValueError):
    """A text that is not an id with the expected prefix."""


def new_id() -> UUID:
    """Make a UUIDv7; ids of one process ascend."""
    return uuid7()


def encode_id(prefix: str, value: UUID) -> str:
    """Write an id for the outside: the prefix, an underscore, 32 lower-case hexadecimal digits."""
    return encode_digits(prefix, value.hex)


def encode_digits(prefix: str, digits: str) -> str:
    """Write an id of which there are only the digits: where ids are many and no UUID is needed, it costs too much."""
    return f"{prefix}_{digits}"


def decode_id(prefix: str, text: str) -> UUID:
    """Read what `encode_id` wrote. Raises InvalidId for everything else, a value that is no string included.

    There is one spelling for each id, so that an id can be compared and cached as text.
    """
    if not isinstance(text, str):
        raise InvalidId("An id is a string.")
    head, digits = text[: len(prefix) + 1], text[len(prefix) + 1 :]
    if head != f"{prefix}_" or _HEX.fullmatch(digits) is None:
        raise InvalidId(f'An id here is "{prefix}_" and 32 lower-case hexadecimal digits.')
    return UUID(hex=digits)
