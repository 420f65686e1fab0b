"""Google Cloud KMS as key-encryption key, against a small server that speaks its REST API (K1)."""

import logging
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.auth.credentials import AnonymousCredentials
from google.cloud.kms import KeyManagementServiceClient

from tests.vault.keks.server import Answer, json_server
from vault.errors import KekRefused, KekUnavailable, Unreadable, VaultNotConfigured
from vault.keks.crc32c import crc32c
from vault.keks.gcp import GcpKey, _default_client

KEY = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k"


class CloudKms:
    """Two keys, AES-GCM, checksums checked and given as the service does."""

    def __init__(self) -> None:
        self.keys = {KEY: AESGCM(secrets.token_bytes(32)), f"{KEY}2": AESGCM(secrets.token_bytes(32))}
        self.damage = ""
        self.status = 200

    def respond(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        name, _, action = path.removeprefix("/v1/").rpartition(":")
        if self.status != 200:
            return self.refusal(self.status, "UNAVAILABLE", "Not now.")
        if name not in self.keys:
            return self.refusal(404, "NOT_FOUND", f"CryptoKey {name} not found.")
        for field in ("plaintext", "ciphertext", "additionalAuthenticatedData"):
            if field in body and int(body[f"{field}Crc32c"]) != crc32c(b64decode(body[field])):
                return self.refusal(400, "INVALID_ARGUMENT", f"The checksum in field {field}_crc32c did not match.")
        return getattr(self, action)(self.keys[name], body, b64decode(body["additionalAuthenticatedData"]))

    def encrypt(self, key: AESGCM, body: dict[str, Any], associated: bytes) -> Answer:
        nonce = secrets.token_bytes(12)
        ciphertext = nonce + key.encrypt(nonce, b64decode(body["plaintext"]), associated)
        return 200, {
            "ciphertext": b64encode(ciphertext).decode(),
            "ciphertextCrc32c": str(crc32c(ciphertext) ^ (self.damage == "ciphertext")),
            "verifiedPlaintextCrc32c": self.damage != "plaintext",
            "verifiedAdditionalAuthenticatedDataCrc32c": self.damage != "associated",
        }

    def decrypt(self, key: AESGCM, body: dict[str, Any], associated: bytes) -> Answer:
        ciphertext = b64decode(body["ciphertext"])
        try:
            plaintext = key.decrypt(ciphertext[:12], ciphertext[12:], associated)
        except InvalidTag:
            return self.refusal(
                400, "INVALID_ARGUMENT", "Decryption failed: verify that 'name' refers to the correct CryptoKey."
            )
        checksum = crc32c(plaintext) ^ (self.damage == "answer")
        return 200, {"plaintext": b64encode(plaintext).decode(), "plaintextCrc32c": str(checksum)}

    @staticmethod
    def refusal(status: int, word: str, message: str) -> Answer:
        return status, {"error": {"code": status, "message": message, "status": word}}


@pytest.fixture
def kms() -> CloudKms:
    return CloudKms()


@pytest.fixture
def client(kms: CloudKms) -> Iterator[KeyManagementServiceClient]:
    """The library's own client, pointed at the server."""
    with json_server(kms.respond) as url, _client_of(url) as client:
        yield client


def _client_of(url: str) -> KeyManagementServiceClient:
    options = {"api_endpoint": url}
    return KeyManagementServiceClient(transport="rest", credentials=AnonymousCredentials(), client_options=options)


def test_a_data_key_comes_back(client: KeyManagementServiceClient) -> None:
    """What KMS gives for it is not the key."""
    data_key = secrets.token_bytes(32)
    wrapped = GcpKey(KEY, client).wrap(data_key, context=b"one")
    assert data_key not in wrapped
    assert GcpKey(KEY, client).unwrap(wrapped, context=b"one") == data_key


def test_another_context_or_key_is_refused(client: KeyManagementServiceClient) -> None:
    """A data key opens only in its own row, and only with the key that its row names."""
    wrapped = GcpKey(KEY, client).wrap(secrets.token_bytes(32), context=b"one")
    for key, context, blob in [(KEY, b"two", wrapped), (f"{KEY}2", b"one", wrapped), (KEY, b"one", b"x" * 60)]:
        with pytest.raises(Unreadable):
            GcpKey(key, client).unwrap(blob, context=context)


@pytest.mark.parametrize("damage", ["plaintext", "associated", "ciphertext"])
def test_what_was_damaged_on_the_way_is_not_kept(kms: CloudKms, client: Any, damage: str) -> None:
    """A wrapped key that nobody can unwrap would be found when it is too late."""
    kms.damage = damage
    with pytest.raises(KekUnavailable):
        GcpKey(KEY, client).wrap(secrets.token_bytes(32), context=b"one")


def test_a_data_key_damaged_on_the_way_is_not_used(kms: CloudKms, client: KeyManagementServiceClient) -> None:
    """Nor does it speak against the row: another try may succeed."""
    wrapped = GcpKey(KEY, client).wrap(secrets.token_bytes(32), context=b"one")
    kms.damage = "answer"
    with pytest.raises(KekUnavailable):
        GcpKey(KEY, client).unwrap(wrapped, context=b"one")


def test_a_refusal_is_no_unreadable(kms: CloudKms, client: KeyManagementServiceClient) -> None:
    """An unknown key and a service in trouble say nothing against the data key."""
    wrapped = GcpKey(KEY, client).wrap(secrets.token_bytes(32), context=b"one")
    with pytest.raises(KekUnavailable, match="NotFound"):
        GcpKey(f"{KEY}3", client).unwrap(wrapped, context=b"one")
    kms.status = 503
    with pytest.raises(KekUnavailable, match="ServiceUnavailable"):
        GcpKey(KEY, client).unwrap(wrapped, context=b"one")


def test_nobody_answers(caplog: pytest.LogCaptureFixture) -> None:
    """K2: neither the error nor the log, at any level, has the data key."""
    caplog.set_level(logging.DEBUG)
    with _client_of("http://127.0.0.1:9") as client, pytest.raises(KekUnavailable) as caught:
        GcpKey(KEY, client).wrap(b"0123456789abcdef0123456789abcdef", context=b"one")
    assert str(caught.value) == "Google KMS does not answer, or refuses: ConnectionError."
    assert "0123456789abcdef" not in caplog.text
    assert "MDEyMzQ1Njc4OWFiY2RlZj" not in caplog.text


def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator is told what is missing."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent.json")
    _default_client.cache_clear()
    with pytest.raises(VaultNotConfigured, match="credentials"):
        GcpKey(KEY).wrap(secrets.token_bytes(32), context=b"one")


def test_a_location_is_a_whole_name() -> None:
    """A version is refused: then Google's own rotation would not work."""
    for location in ("k", f"{KEY}/cryptoKeyVersions/1"):
        with pytest.raises(KekRefused):
            GcpKey(location)


def test_checksums_are_castagnoli() -> None:
    """The check value of CRC-32C, and RFC 3720's 32 bytes of zeros."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
