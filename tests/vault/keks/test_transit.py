"""HashiCorp Vault's Transit as key-encryption key, against a small server that speaks its API (K1)."""

import logging
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.vault.keks.server import Answer, json_server
from vault.errors import KekRefused, KekUnavailable, Unreadable, VaultNotConfigured
from vault.keks.transit import TransitKey

TOKEN = "hvs.only-for-tests"


class Transit:
    """Keys below two mounts, each with its versions."""

    def __init__(self) -> None:
        self.keys = {path: [AESGCM(secrets.token_bytes(32))] for path in ("transit/one", "transit/two", "ns/t/one")}
        self.sealed = False
        self.status_of_a_wrong_context = 400

    def respond(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers.get("x-vault-token") != TOKEN:
            return 403, {"errors": ["permission denied"]}
        mount, action, name = path.removeprefix("/v1/").rsplit("/", 2)
        versions = self.keys.get(f"{mount}/{name}")
        if versions is None:
            return 400, {"errors": ["encryption key not found"]}
        return getattr(self, action)(versions, body, b64decode(body["associated_data"]))

    def encrypt(self, versions: list[AESGCM], body: dict[str, Any], associated: bytes) -> Answer:
        nonce = secrets.token_bytes(12)
        made = nonce + versions[-1].encrypt(nonce, b64decode(body["plaintext"]), associated)
        ciphertext = f"vault:v{len(versions)}:{b64encode(made).decode()}"
        return 200, {"data": {"ciphertext": ciphertext, "key_version": len(versions)}}

    def decrypt(self, versions: list[AESGCM], body: dict[str, Any], associated: bytes) -> Answer:
        if not body["ciphertext"].startswith("vault:v"):
            return 400, {"errors": ["invalid ciphertext: no prefix"]}
        version, _, made = body["ciphertext"].removeprefix("vault:v").partition(":")
        sealed = b64decode(made)
        try:
            plaintext = versions[int(version) - 1].decrypt(sealed[:12], sealed[12:], associated)
        except InvalidTag:
            return self.status_of_a_wrong_context, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": b64encode(plaintext).decode()}}


@pytest.fixture
def transit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Transit]:
    """The server, where this process's environment says that it is; nobody's own token is read."""
    server = Transit()
    with json_server(server.respond) as url:
        monkeypatch.setenv("VAULT_ADDR", url)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
        yield server


@pytest.mark.parametrize("location", ["transit/one", "ns/t/one"])
@pytest.mark.usefixtures("transit")
def test_a_data_key_comes_back(location: str) -> None:
    """Also where the engine is mounted deeper."""
    data_key = secrets.token_bytes(32)
    wrapped = TransitKey(location).wrap(data_key, context=b"one")
    assert wrapped.startswith(b"vault:v1:")
    assert TransitKey(location).unwrap(wrapped, context=b"one") == data_key


@pytest.mark.parametrize("status", [400, 500])
def test_another_context_or_key_is_refused(transit: Transit, status: int) -> None:
    """A data key opens only in its own row; Vault's releases answer one or the other."""
    transit.status_of_a_wrong_context = status
    wrapped = TransitKey("transit/one").wrap(secrets.token_bytes(32), context=b"one")
    for location, context, blob in [
        ("transit/one", b"two", wrapped),
        ("transit/two", b"one", wrapped),
        ("transit/one", b"one", b"rubbish"),
        ("transit/one", b"one", b"\xff\xfe"),
    ]:
        with pytest.raises(Unreadable):
            TransitKey(location).unwrap(blob, context=context)


def test_rotation_inside_transit_needs_nothing_here(transit: Transit) -> None:
    """An older version of the key still unwraps what it wrapped."""
    data_key = secrets.token_bytes(32)
    wrapped = TransitKey("transit/one").wrap(data_key, context=b"one")
    transit.keys["transit/one"].append(AESGCM(secrets.token_bytes(32)))
    assert TransitKey("transit/one").unwrap(wrapped, context=b"one") == data_key
    assert TransitKey("transit/one").wrap(data_key, context=b"one").startswith(b"vault:v2:")


def test_a_refusal_is_no_unreadable(transit: Transit, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown key, a token without rights and a sealed Vault say nothing against the data key."""
    wrapped = TransitKey("transit/one").wrap(secrets.token_bytes(32), context=b"one")
    with pytest.raises(KekUnavailable, match="InvalidRequest"):
        TransitKey("transit/three").unwrap(wrapped, context=b"one")
    transit.sealed = True
    with pytest.raises(KekUnavailable, match="VaultDown"):
        TransitKey("transit/one").unwrap(wrapped, context=b"one")
    transit.sealed = False
    monkeypatch.setenv("VAULT_TOKEN", "hvs.another")
    with pytest.raises(KekUnavailable, match="Forbidden"):
        TransitKey("transit/one").unwrap(wrapped, context=b"one")


@pytest.mark.usefixtures("transit")
def test_a_token_renewed_in_its_file_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An agent of Vault's writes it while we run."""
    monkeypatch.delenv("VAULT_TOKEN")
    with pytest.raises(VaultNotConfigured, match="VAULT_TOKEN"):
        TransitKey("transit/one").wrap(b"k", context=b"one")
    (tmp_path / ".vault-token").write_text(TOKEN)
    assert TransitKey("transit/one").wrap(b"k", context=b"one").startswith(b"vault:v1:")


@pytest.mark.usefixtures("transit")
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """K2: neither the error nor the log, at any level, has the data key or the token."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    with pytest.raises(KekUnavailable) as caught:
        TransitKey("transit/one").wrap(b"0123456789abcdef0123456789abcdef", context=b"one")
    assert str(caught.value) == "Vault Transit gives no answer: ConnectionError."
    for text in ("0123456789abcdef", "MDEyMzQ1Njc4OWFiY2RlZj", TOKEN):
        assert text not in caplog.text


def test_a_location_names_mount_and_key() -> None:
    """Either alone is refused."""
    with pytest.raises(KekRefused):
        TransitKey("quaestor")
