"""A key-encryption key in a file: `VAULT_KEK_DIR/<location>`, 32 random bytes in base64, readable by us alone."""

import binascii
import os
import re
import secrets
import stat
from base64 import b64decode, b64encode
from pathlib import Path

from django.conf import settings

from vault.crypto.aead import KEY_BYTES, NONCE_BYTES, gcm_decrypt, gcm_encrypt, length_prefixed
from vault.errors import KekRefused, Unreadable, VaultNotConfigured
from vault.keks.weak_keys import why_weak

_FORMAT = b"\x01"  # version 1: AES-256-GCM
_NONCE = slice(len(_FORMAT), len(_FORMAT) + NONCE_BYTES)
_LOCATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST_FILE = 1000  # bytes; a key in base64 has 44


class LocalKey:
    """Wraps with the key in a file. The file is read each time, so that a removed one ends at once."""

    def __init__(self, location: str) -> None:
        self._path = path_of(location)

    def wrap(self, data_key: bytes, *, context: bytes) -> bytes:
        """The data key under a nonce of its own, bound to the context."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _FORMAT + nonce + gcm_encrypt(_read_key(self._path), nonce, data_key, _associated(nonce, context))

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """The data key; Unreadable where the key, the context or a byte is another."""
        key = _read_key(self._path)
        if not wrapped.startswith(_FORMAT):
            raise Unreadable("The wrapped data key has no format that is known here.")
        nonce = wrapped[_NONCE]
        return gcm_decrypt(key, nonce, wrapped[_NONCE.stop :], _associated(nonce, context))


def create_local_key(location: str) -> Path:
    """Make a new key file and say where. Raises KekRefused rather than touch one that is there."""
    path = path_of(location)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_folder(path.parent)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise KekRefused(f"{path} is there already; give the new key another location.") from None
    with os.fdopen(number, "wb") as file:
        file.write(b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(number)
    _sync_folder(path.parent)
    return path


def path_of(location: str) -> Path:
    """Where the file of a local key is; its folder is a setting, and a location cannot lead out of it."""
    if not settings.VAULT_KEK_DIR:
        raise VaultNotConfigured("Set VAULT_KEK_DIR to the folder of the local key-encryption keys.")
    if not _LOCATION.fullmatch(location):
        raise KekRefused("A local key's location is a file name: letters, digits, dots, dashes, at most 100, no path.")
    return Path(settings.VAULT_KEK_DIR) / location


def _read_key(path: Path) -> bytes:
    try:
        _check_folder(path.parent)
        with path.open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            content = file.read(_LONGEST_FILE)
    except OSError as error:
        raise VaultNotConfigured(f"{path} cannot be read ({error.strerror}); put the key's file back there.") from None
    try:
        key = b64decode(content.strip(), validate=True)
    except binascii.Error:
        raise KekRefused(f"{path} holds no base64; make a key with `manage.py create_kek`.") from None
    weakness = why_weak(key)
    if weakness:
        raise KekRefused(f"{path}: {weakness} Make a key with `manage.py create_kek` and never by hand.")
    return key


def _check_owner(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KekRefused(f"{path} is not a file.")
    if found.st_mode & 0o077:
        raise KekRefused(f"Others may read {path}: chmod 600 it, and rotate the key if anybody else was there.")
    if found.st_uid != os.geteuid():
        raise KekRefused(f"{path} belongs to another user: chown it to the user that runs this process.")


def _check_folder(folder: Path) -> None:
    if folder.stat().st_mode & 0o022:
        raise KekRefused(f"Others may put files into {folder}: chmod 700 it.")


def _sync_folder(folder: Path) -> None:
    """Make the file's name outlive a power cut, as fsync of the file makes its bytes."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _associated(nonce: bytes, context: bytes) -> bytes:
    return length_prefixed(b"quaestor local key", _FORMAT, nonce, context)
