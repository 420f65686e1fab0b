"""NIST's own vectors for AES-256-GCM, through the functions that the envelope uses."""

from collections.abc import Iterator

import cryptography_vectors
import pytest

from vault.crypto.aead import gcm_decrypt, gcm_encrypt, length_prefixed
from vault.errors import Unreadable

FOLDER = "ciphers/AES/GCM"
Vector = dict[str, bytes | None]


def vectors(name: str) -> list[Vector]:
    """Those with nonces of 96 bits and tags of 128, which are all that the vault makes or takes."""
    with cryptography_vectors.open_vector_file(f"{FOLDER}/{name}.rsp", "r") as file:
        return list(_parse(line.strip() for line in file))


def _parse(lines: Iterator[str]) -> Iterator[Vector]:
    group: dict[str, str] = {}
    vector: Vector = {}
    for line in lines:
        if line.startswith("["):
            name, _, value = line.strip("[]").partition(" = ")
            group[name] = value
        elif line == "FAIL":
            vector["PT"] = None
        elif " = " in line or line.endswith(" ="):
            name, _, value = line.partition(" =")
            vector[name] = b"" if name == "Count" else bytes.fromhex(value)
        elif vector:
            if group["IVlen"] == "96" and group["Taglen"] == "128":
                yield vector
            vector = {}


def part(vector: Vector, name: str) -> bytes:
    value = vector[name]
    assert value is not None
    return value


def test_nist_encryption() -> None:
    """K1: gcmEncryptExtIV256, 375 of them."""
    done = 0
    for vector in vectors("gcmEncryptExtIV256"):
        sealed = gcm_encrypt(part(vector, "Key"), part(vector, "IV"), part(vector, "PT"), part(vector, "AAD"))
        assert sealed == part(vector, "CT") + part(vector, "Tag")
        done += 1
    assert done == 375


def test_nist_decryption() -> None:
    """K1: gcmDecrypt256, with those that must fail."""
    outcomes = {True: 0, False: 0}
    for vector in vectors("gcmDecrypt256"):
        sealed = part(vector, "CT") + part(vector, "Tag")
        key, nonce, associated = part(vector, "Key"), part(vector, "IV"), part(vector, "AAD")
        if vector["PT"] is None:
            with pytest.raises(Unreadable):
                gcm_decrypt(key, nonce, sealed, associated)
        else:
            assert gcm_decrypt(key, nonce, sealed, associated) == vector["PT"]
        outcomes[vector["PT"] is not None] += 1
    assert sum(outcomes.values()) == 375
    assert min(outcomes.values()) > 100


@pytest.mark.parametrize(("key", "nonce"), [(16, 12), (31, 12), (32, 8), (32, 16), (0, 12)])
def test_other_lengths_are_refused(key: int, nonce: int) -> None:
    """K1: a shorter key would be another algorithm."""
    with pytest.raises(Unreadable):
        gcm_encrypt(bytes(key), bytes(nonce), b"text", b"")
    with pytest.raises(Unreadable):
        gcm_decrypt(bytes(key), bytes(nonce), bytes(40), b"")


def test_fields_cannot_flow_into_each_other() -> None:
    """K1: what ends one field and begins the next is part of what is authenticated."""
    assert length_prefixed(b"ab", b"c") != length_prefixed(b"a", b"bc")
    assert length_prefixed(b"ab") != length_prefixed(b"ab", b"")
