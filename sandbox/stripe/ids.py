"""Identifiers: a prefix that names the kind, and 24 random letters and digits."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24


def new_id(prefix: str) -> str:
    """A fresh identifier, e.g. new_id("cus") -> "cus_Yz0…"."""
    return f"{prefix}_{random_text(LENGTH)}"


def random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
