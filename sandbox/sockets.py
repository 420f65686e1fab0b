"""Where local servers listen: unix sockets in private folders, and TCP ports on the loopback address."""

import errno
import shutil
import socket
import tempfile
import time
from pathlib import Path

from sandbox.errors import SandboxError

LOOPBACK = "127.0.0.1"
SHORT_ROOT = Path("/", "tmp")  # where TMPDIR itself is too long
SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path on Linux, less its closing zero


class SocketFolder:
    """A private folder for a unix socket: the wished one, or a short temporary one where the path would not fit."""

    def __init__(self, wished: Path, *, socket_name: str) -> None:
        self._temporary = len(bytes(wished / socket_name)) > SOCKET_PATH_LIMIT
        self.path = _short_folder(socket_name) if self._temporary else wished
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket = self.path / socket_name

    def remove(self) -> None:
        """Take away what only served this run; a folder inside the state stays."""
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def _short_folder(socket_name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="quaestor-"))
    if len(bytes(folder / socket_name)) <= SOCKET_PATH_LIMIT:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="quaestor-", dir=SHORT_ROOT))


def require_free_port(port: int, *, patience: float = 0.0) -> None:
    """Raise SandboxError while something listens on the port; wait up to `patience` seconds for it to go."""
    deadline = time.monotonic() + patience
    while not _is_free(port):
        if time.monotonic() >= deadline:
            raise SandboxError(f"Port {port} is in use. Stop what listens there, or choose another: make run PORT=8100")
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise SandboxError(f"Port {port} cannot be used: {error.strerror}.") from error
    return True
