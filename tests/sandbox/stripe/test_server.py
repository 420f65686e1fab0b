"""The stand-in's connections."""

import socket
import threading

import pytest

from sandbox.sockets import LOOPBACK
from sandbox.stripe.application import Application
from sandbox.stripe.server import Connection, Server
from sandbox.stripe.state import State
from sandbox.stripe.store import MEMORY


def test_idle_connection_is_closed_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clients keep connections for later; that they do not come back is no error."""
    monkeypatch.setattr(Connection, "timeout", 0.05)
    with Server(Application(State(MEMORY)), 0) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        with socket.create_connection((LOOPBACK, server.port), timeout=10) as connection:
            assert connection.recv(1) == b""
        server.shutdown()
    assert capsys.readouterr().err == ""
