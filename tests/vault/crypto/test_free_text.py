"""Texts of runs are looked through for keys at next to no cost."""

import pytest

from tests.vault.make import key_text
from vault.crypto.free_text import hold_a_key
from vault.crypto.redaction import shows_a_key
from vault.providers import PROVIDERS

TEXTS = {provider: key_text(provider) for provider in PROVIDERS}


@pytest.mark.parametrize(
    "key", [*TEXTS.values(), "rk_live_0123456789abcdefgh", "whsec_0123456789abcdefgh", "qk_" + "a1" * 12]
)
def test_says_what_the_slower_way_says(key: str) -> None:
    """K2: no beginning of a key is missed."""
    for text in (key, f"support\n{key}\nbob", f"a key: {key}"):
        assert hold_a_key(text) == shows_a_key(text), key


def test_usual_texts_pass() -> None:
    """K2: ids, addresses and names are no keys."""
    for text in ("018f2d3a-1b2c-7d3e-9f40-1234567890ab", "task_0001", "ada@example.com", "SALES-KEY ACCOUNTS", ""):
        assert not hold_a_key(f"{text}\n{text}")
