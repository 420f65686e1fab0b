"""A ciphertext opens with its key and its binding, and with nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.crypto.envelope import Binding, data_key_id_of, decrypt, encrypt
from vault.crypto.secret import Secret
from vault.errors import Unreadable

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
KEY_ID, OTHER_ID = UUID(int=7), UUID(int=8)
BINDING = Binding(UUID(int=1), UUID(int=2), 3, "openai", "https://models.example.com/v1")
TEXT = "sk-test-0123456789abcdefghij"
BLOB = encrypt(KEY, KEY_ID, Secret(TEXT), BINDING)

ids = st.uuids()
bindings = st.builds(
    Binding,
    tenant_id=st.none() | ids,
    credential_id=ids,
    number=st.integers(1, 2**31 - 1),
    provider=st.text(max_size=40),
    base_url=st.text(max_size=300),
)


@settings(deadline=None)
@given(key=st.binary(min_size=32, max_size=32), key_id=ids, text=st.text(max_size=2000), binding=bindings)
def test_what_was_encrypted_is_read(key: bytes, key_id: UUID, text: str, binding: Binding) -> None:
    """K1: any text, under any key, for any row."""
    blob = encrypt(key, key_id, Secret(text), binding)
    assert decrypt(key, key_id, blob, binding).reveal() == text
    assert data_key_id_of(blob) == key_id


@pytest.mark.parametrize("position", range(len(BLOB)))
def test_flipped_byte_is_unreadable(position: int) -> None:
    """K1: each byte counts: version, algorithm, key id, nonce, commitment, ciphertext, tag."""
    for bit in range(8):
        changed = bytearray(BLOB)
        changed[position] ^= 1 << bit
        with pytest.raises(Unreadable):
            decrypt(KEY, KEY_ID, bytes(changed), BINDING)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_unreadable(blob: bytes) -> None:
    """K1: whatever lies in the row, there is one error and no other."""
    with pytest.raises(Unreadable):
        decrypt(KEY, KEY_ID, blob, BINDING)


@pytest.mark.parametrize("length", range(0, len(BLOB), 3))
def test_cut_ciphertext_is_unreadable(length: int) -> None:
    """K1: also where only the tag or less is left."""
    with pytest.raises(Unreadable):
        decrypt(KEY, KEY_ID, BLOB[:length], BINDING)


@pytest.mark.parametrize(
    "other",
    [
        replace(BINDING, tenant_id=UUID(int=9)),
        replace(BINDING, tenant_id=None),
        replace(BINDING, credential_id=UUID(int=9)),
        replace(BINDING, number=4),
        replace(BINDING, provider="anthropic"),
        replace(BINDING, base_url=""),
        replace(BINDING, base_url=BINDING.base_url + "/"),
        replace(BINDING, provider="openaihttps", base_url="://models.example.com/v1"),
    ],
    ids=["tenant", "platform", "credential", "number", "provider", "no-url", "url", "moved-border"],
)
def test_other_binding_is_unreadable(other: Binding) -> None:
    """K1: each field is part of what is authenticated."""
    with pytest.raises(Unreadable):
        decrypt(KEY, KEY_ID, BLOB, other)


@settings(deadline=None)
@given(bindings, bindings)
def test_two_bindings_never_share_a_ciphertext(first: Binding, second: Binding) -> None:
    """K1: for whatever rows there may be."""
    blob = encrypt(KEY, KEY_ID, Secret(TEXT), first)
    if first == second:
        assert decrypt(KEY, KEY_ID, blob, second).reveal() == TEXT
        return
    with pytest.raises(Unreadable):
        decrypt(KEY, KEY_ID, blob, second)


def test_other_key_is_unreadable() -> None:
    """K1: the key is looked up by the id that the ciphertext names; another one is told by the commitment."""
    with pytest.raises(Unreadable, match="made with another data key"):
        decrypt(OTHER_KEY, KEY_ID, BLOB, BINDING)
    with pytest.raises(Unreadable, match="names another data key"):
        decrypt(KEY, OTHER_ID, BLOB, BINDING)
    with pytest.raises(Unreadable):
        decrypt(KEY[:16], KEY_ID, BLOB, BINDING)


def test_error_says_nothing_of_the_content() -> None:
    """K2: neither its message nor what it was raised from."""
    with pytest.raises(Unreadable) as caught:
        decrypt(KEY, KEY_ID, BLOB[:-1], BINDING)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert str(caught.value) == "The ciphertext is not authentic."


def test_equal_texts_have_different_ciphertexts() -> None:
    """K1: a nonce of its own for each, so that nothing repeats after the header's fixed part."""
    blobs = {encrypt(KEY, KEY_ID, Secret(TEXT), BINDING)[18:30] for _ in range(200)}
    assert len(blobs) == 200
