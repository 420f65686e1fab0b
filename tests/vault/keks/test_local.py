"""A key-encryption key in a file: found where its row says, refused where it is no secret."""

import hashlib
import os
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from vault.errors import KekRefused, Unreadable, VaultNotConfigured
from vault.keks.base import context_of
from vault.keks.local import LocalKey, create_local_key, path_of
from vault.keks.registry import wrapper_of
from vault.models import KeyEncryptionKey

CONTEXT = context_of(data_key_id=UUID(int=1), tenant_id=UUID(int=2))
DATA_KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.VAULT_KEK_DIR = str(tmp_path / "keks")
    return tmp_path / "keks"


def write(key: bytes, location: str = "hand-made") -> LocalKey:
    create_local_key(location).write_bytes(b64encode(key))
    return LocalKey(location)


def refusal(key: LocalKey) -> str:
    """Why neither wraps nor unwraps."""
    with pytest.raises(VaultNotConfigured) as caught:
        key.wrap(DATA_KEY, context=CONTEXT)
    with pytest.raises(VaultNotConfigured):
        key.unwrap(b"\x01" + bytes(60), context=CONTEXT)
    return str(caught.value)


def test_created_key_wraps_and_unwraps(folder: Path) -> None:
    """K1: 32 random bytes in base64, in a file that we alone read, in a folder that we alone enter."""
    path = create_local_key("main-2026")
    assert path == folder / "main-2026"
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(path.read_bytes()) == 45
    wrapped = LocalKey("main-2026").wrap(DATA_KEY, context=CONTEXT)
    assert DATA_KEY not in wrapped
    assert LocalKey("main-2026").unwrap(wrapped, context=CONTEXT) == DATA_KEY
    assert LocalKey("main-2026").wrap(DATA_KEY, context=CONTEXT) != wrapped


def test_registry_finds_it() -> None:
    """K1: by the row's backend and location."""
    create_local_key("main")
    assert isinstance(wrapper_of(KeyEncryptionKey(name="main", backend="local", location="main")), LocalKey)


@pytest.mark.parametrize(
    "context",
    [
        context_of(data_key_id=UUID(int=3), tenant_id=UUID(int=2)),
        context_of(data_key_id=UUID(int=1), tenant_id=UUID(int=3)),
        context_of(data_key_id=UUID(int=1), tenant_id=None),
        b"",
    ],
    ids=["data-key", "tenant", "platform", "nothing"],
)
def test_other_context_is_unreadable(context: bytes) -> None:
    """K1: a wrapped key opens in its own row only."""
    create_local_key("main")
    wrapped = LocalKey("main").wrap(DATA_KEY, context=CONTEXT)
    with pytest.raises(Unreadable):
        LocalKey("main").unwrap(wrapped, context=context)


def test_other_key_is_unreadable() -> None:
    """K8: what one key wrapped another does not open."""
    for location in ("one", "two"):
        create_local_key(location)
    with pytest.raises(Unreadable):
        LocalKey("two").unwrap(LocalKey("one").wrap(DATA_KEY, context=CONTEXT), context=CONTEXT)


def test_every_flipped_byte_is_unreadable() -> None:
    """K1: version, nonce, ciphertext and tag."""
    create_local_key("main")
    wrapped = LocalKey("main").wrap(DATA_KEY, context=CONTEXT)
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(Unreadable):
            LocalKey("main").unwrap(bytes(changed), context=CONTEXT)


@given(st.binary(max_size=100))
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_bytes_are_unreadable(wrapped: bytes) -> None:
    """K1: there is one error and no other."""
    if not path_of("any").exists():
        create_local_key("any")
    with pytest.raises(Unreadable):
        LocalKey("any").unwrap(wrapped, context=CONTEXT)


def test_key_is_never_overwritten() -> None:
    """K8: a new key under an old name would make everything unreadable."""
    path = create_local_key("main")
    before = path.read_bytes()
    with pytest.raises(KekRefused, match="is there already"):
        create_local_key("main")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "location", ["", ".", "..", "../main", "a/b", "/etc/passwd", "a\\b", ".hidden", "a\0b", "a" * 101, "ключ", "main\n"]
)
def test_location_cannot_leave_the_folder(location: str) -> None:
    """K1: a row says which file, not which folder."""
    with pytest.raises(KekRefused, match="file name"):
        LocalKey(location)
    with pytest.raises(KekRefused, match="file name"):
        create_local_key(location)


def test_folder_is_needed(settings: Settings) -> None:
    """K1: without a folder there is no local key."""
    settings.VAULT_KEK_DIR = ""
    with pytest.raises(VaultNotConfigured, match="Set VAULT_KEK_DIR"):
        LocalKey("main")


def test_missing_file_is_said() -> None:
    """K1: as a fault of the set-up, not of what is to be read."""
    assert "cannot be read (No such file or directory)" in refusal(LocalKey("main"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_file_that_others_may_read_is_refused(mode: int) -> None:
    """K1: what others may have read is no secret."""
    create_local_key("main").chmod(mode)
    assert "chmod 600" in refusal(LocalKey("main"))


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_folder_that_others_may_write_is_refused(mode: int, folder: Path) -> None:
    """K1: who can put a file in its place can choose the key."""
    create_local_key("main")
    folder.chmod(mode)
    assert "chmod 700" in refusal(LocalKey("main"))
    with pytest.raises(KekRefused, match="chmod 700"):
        create_local_key("next")


def test_file_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """K1: its owner could change it."""
    create_local_key("main")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert "chown" in refusal(LocalKey("main"))


def test_folder_in_its_place_is_refused(folder: Path) -> None:
    """K1: a clear error whatever is found."""
    folder.mkdir(mode=0o700)
    (folder / "main").mkdir()
    assert "cannot be read" in refusal(LocalKey("main"))


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_other_length_is_refused(length: int) -> None:
    """K1: AES-256 takes 32 bytes."""
    assert f"32 bytes, this one {length}" in refusal(write(os.urandom(length)))


def test_text_that_is_no_base64_is_refused() -> None:
    """K1: the file's form is checked before its content."""
    create_local_key("main").write_bytes(b"not base64 at all!")
    assert "no base64" in refusal(LocalKey("main"))


@pytest.mark.parametrize(
    "key",
    [
        bytes(32),
        b"\xff" * 32,
        bytes(range(32)),
        bytes(range(0x80, 0xA0)),
        bytes(range(0, 224, 7)),
        os.urandom(8) * 4,
        b"correct horse battery staple 123",
        b"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4",
    ],
    ids=["zeros", "ones", "counted", "counted-on", "sevens", "repeated", "passphrase", "base64-of-base64"],
)
def test_pattern_is_refused(key: bytes) -> None:
    """K1: nobody drew it at random."""
    assert "not random" in refusal(write(key))


@pytest.mark.parametrize(
    "sample",
    [
        bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
        hashlib.sha256(b"").digest(),
        hashlib.sha256(b"changeme").digest(),
    ],
)
def test_known_sample_is_refused(sample: bytes) -> None:
    """K1: keys that stand in documents are everybody's."""
    assert "known sample" in refusal(write(sample))


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda text: hashlib.sha256(text).digest(),
        lambda text: hashlib.sha3_256(text).digest(),
        lambda text: hashlib.sha512(text).digest()[:32],
        lambda text: hashlib.sha512(text).digest()[-32:],
        lambda text: hashlib.blake2b(text).digest()[:32],
        lambda text: text[:32],
        lambda text: text[-32:],
    ],
    ids=["sha256", "sha3", "sha512", "sha512-end", "blake2b", "begin", "end"],
)
def test_key_made_of_secret_key_is_refused(make: object, fallback: bool, settings: Settings) -> None:
    """K1: who has SECRET_KEY must not have the vault, and the other way round; replaced SECRET_KEYs included."""
    text = "кey-of-this-Site_0123456789-äöüß-ABCDEFGHIJKLMNOPQRSTUVWXYZ-Жжж"
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = ("another" * 9, [text]) if fallback else (text, [])
    assert callable(make)
    assert "SECRET_KEY" in refusal(write(make(text.encode())))


def test_errors_do_not_show_the_key() -> None:
    """K2: an operator is told what is wrong with it, not what it is."""
    key = os.urandom(31)
    told = refusal(write(key))
    assert b64encode(key).decode() not in told
