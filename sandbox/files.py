"""The state folder's files: its lock, its secrets and what is written for other programs to read."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxError


class FolderLock:
    """One starter at a time for a folder; the kernel drops the lock when its holder dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raise SandboxError at once when another process holds the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
            os.close(descriptor)
            raise SandboxError(f"{self._folder} is already in use by process {holder}; stop that one first.") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone: a reader sees the old text or the new, never a part."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def random_secret() -> str:
    """384 bits."""
    return secrets.token_urlsafe(48)


def persistent_secret(path: Path, *, make: Callable[[], str] = random_secret) -> str:
    """Read the secret kept in a file, made at random the first time: sessions and seals survive restarts."""
    if not path.exists():
        write_private(path, make() + "\n")
    return path.read_text(encoding="utf-8").strip()


def tail(path: Path, *, lines: int = 25) -> str:
    """The last lines of a log, or an empty string while it does not exist."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
