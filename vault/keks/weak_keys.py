"""Keys that nobody drew at random: samples of documents, patterns, texts, and what is made of SECRET_KEY."""

import hashlib
import string
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from itertools import pairwise

from django.conf import settings

from vault.crypto.aead import KEY_BYTES

_PRINTABLE = frozenset(string.printable.encode())
_FEWEST_VALUES = 20  # 32 random bytes have about 30 different values, and fewer than 20 once in 10^13
_SAMPLE_WORDS = (b"", b"secret", b"password", b"changeme", b"key", b"test", b"quaestor", b"hello world")
_SAMPLES = frozenset(
    {
        bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),  # NIST SP 800-38A, F.1.5
        bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),  # the GCM specification
        bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c2b7e151628aed2a6abf7158809cf4f3c"),  # FIPS 197, twice
        bytes.fromhex("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        urlsafe_b64decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="),  # the specification of Fernet
        *(hashlib.sha256(word).digest() for word in _SAMPLE_WORDS),
    }
)


def why_weak(key: bytes) -> str:
    """What is wrong with a key-encryption key, for an operator; empty if nothing is."""
    if len(key) != KEY_BYTES:
        return f"A key has {KEY_BYTES} bytes, this one {len(key)}."
    if key in _SAMPLES:
        return "This key is a known sample."
    if len(set(key)) < _FEWEST_VALUES or _has_one_step(key) or _PRINTABLE.issuperset(key):
        return "This key is a text or a pattern, not random."
    if any(key in _made_of(text.encode()) for text in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)):
        return "This key is made of SECRET_KEY; whoever has one would have both."
    return ""


def _has_one_step(key: bytes) -> bool:
    """0, 1, 2 … or any other sequence of equal steps."""
    return len({(after - before) % 256 for before, after in pairwise(key)}) == 1


def _made_of(text: bytes) -> Iterator[bytes]:
    """What people make of a text when they need 32 bytes."""
    yield from (text[:KEY_BYTES], text[-KEY_BYTES:], text[:KEY_BYTES].ljust(KEY_BYTES, b"\0"))
    for digest in (hashlib.sha256, hashlib.sha3_256, hashlib.blake2s, hashlib.sha512, hashlib.blake2b):
        made = digest(text).digest()
        yield from (made[:KEY_BYTES], made[-KEY_BYTES:])
