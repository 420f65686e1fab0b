"""The form of an API key: `qk_` + 32 random letters and digits + six of a CRC-32 checksum.

The checksum lets a scanner or a typo be told from a key without a database; the digest is a plain SHA-256 because the
key has 190 bits of entropy, and a password hash would cost each request tenths of a second.
"""

import hashlib
import secrets
import string
import zlib

PREFIX = "qk_"
_ALPHABET = string.digits + string.ascii_letters
_RANDOM, _CHECK = 32, 6


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def generate_key() -> str:
    """A new key in plain text: shown once, never stored."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return PREFIX + body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Whether the text can be a key at all, by prefix, length and checksum."""
    body, check = key[len(PREFIX) : -_CHECK], key[-_CHECK:]
    return key.startswith(PREFIX) and len(body) == _RANDOM and key.isascii() and _checksum(body) == check


def digest_of(key: str) -> bytes:
    """What is stored and looked up."""
    return hashlib.sha256(key.encode()).digest()
