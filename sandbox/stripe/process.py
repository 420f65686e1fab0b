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
from sandbox.sockets import LOOPBACK
from sandbox.stripe.store import MEMORY
from sandbox.stripe.values import Json

START_PATIENCE = 30.0  # seconds
TEST_KEY = "sk_test_" + "0123456789abcdefghijABCD"


class StripeSandbox:
    """A sandbox on a free port that keeps nothing: `with StripeSandbox() as sandbox: ... sandbox.url`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="quaestor-stripe-")
        self._child: Child | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers; SandboxError with its last words when it does not."""
        folder = Path(self._folder.name)
        port_file = folder / "port"
        arguments = ["-m", "sandbox.stripe", "--port", "0", "--store", MEMORY, "--port-file", str(port_file)]
        self._child = Child("Stripe sandbox", [sys.executable, *arguments], log=folder / "log", folder=PROJECT)
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
        """Forget everything: objects, clock, modes, faults, violations."""
        self.call("POST", "/_sandbox/reset")

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """A request to the sandbox's own controls; SandboxError for anything but success."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
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
                raise SandboxError(f"The Stripe sandbox does not start within {START_PATIENCE:.0f} seconds.")
            time.sleep(0.02)
        self.port = int(port_file.read_text(encoding="ascii"))
        self.call("GET", "/_sandbox/health")
