"""The sandbox as a process of the tests' own."""

import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.configuration import PROJECT
from sandbox.errors import SandboxError
from sandbox.process import Child
from sandbox.providers.keys import State
from sandbox.providers.registry import PROVIDERS
from sandbox.providers.wire import Json
from sandbox.sockets import LOOPBACK

START_PATIENCE = 30.0  # seconds


class ProvidersSandbox:
    """A sandbox on a free port that keeps nothing: `with ProvidersSandbox() as sandbox: ... sandbox.url`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="quaestor-providers-")
        self._child: Child | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def key(self, provider: str, state: str = State.VALID) -> str:
        """The provider's key in this state; also one of the further valid keys, by its name."""
        return PROVIDERS[provider].key(state)

    def set_state(self, provider: str, key: str, state: str) -> None:
        """Move a key to another state, or make one of your own known."""
        self.call("POST", "/_sandbox/keys", {"provider": provider, "key": key, "state": state})

    def fault(self, kind: str, **order: object) -> None:
        """Order a fault: `provider`, `times`, and what belongs to its kind (sandbox/providers/faults.py)."""
        self.call("POST", "/_sandbox/faults", {"kind": kind, **order})

    def calls(self) -> list[Json]:
        """What was asked since the last reset: provider, method, path, the key's last four characters."""
        found: list[Json] = self.call("GET", "/_sandbox/calls")["calls"]
        return found

    def start(self) -> None:
        """Start and wait until it answers; SandboxError with its last words when it does not."""
        folder = Path(self._folder.name)
        port_file = folder / "port"
        arguments = ["-m", "sandbox.providers", "--port", "0", "--port-file", str(port_file)]
        self._child = Child("Providers sandbox", [sys.executable, *arguments], log=folder / "log", folder=PROJECT)
        try:
            self._child.start()
            self._wait_for(port_file)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None
        self._folder.cleanup()

    def reset(self) -> None:
        """Forget registered keys, changed states, faults and calls."""
        self.call("POST", "/_sandbox/reset")

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """A request to the sandbox's own controls; SandboxError for anything but success."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body or {}))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise SandboxError(f"{method} {path}: {answer.status} {text}")
        found: Json = json.loads(text)
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_for(self, port_file: Path) -> None:
        """The port is written once the server listens; from then on requests wait rather than fail."""
        deadline = time.monotonic() + START_PATIENCE
        while not port_file.exists():
            if self._child is not None:
                self._child.require_running()
            if time.monotonic() > deadline:
                raise SandboxError(f"The providers' sandbox does not start within {START_PATIENCE:.0f} seconds.")
            time.sleep(0.02)
        self.port = int(port_file.read_text(encoding="ascii"))
        self.call("GET", "/_sandbox/health")
