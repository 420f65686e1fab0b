"""Small servers on the loopback address that answer as they are told, byte for byte."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

from django.utils import timezone

from vault.models import AllowedHost

Behaviour = Callable[[socket.socket], None]


@dataclass
class Server:
    """`asked` holds the head of each request, as it came."""

    port: int
    asked: list[str] = field(default_factory=list, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that reads a request's head and then does what it is told, one caller after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1])
        Thread(target=_serve, args=(listener, server, behave, tls), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, server: Server, behave: Behaviour, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            with connection if tls is None else tls.wrap_socket(connection, server_side=True) as caller:
                server.asked.append(_head(caller))
                behave(caller)
        except OSError:  # the caller has hung up, as it should
            continue


def _head(caller: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        part = caller.recv(4096)
        if not part:
            break
        received += part
    return received.decode()


def answering(status: int, body: str | bytes = b"", **headers: str) -> Behaviour:
    """The same answer each time; `retry_after="3"` is a header."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    return lambda caller: caller.sendall(whole)


def dripping(first: bytes, drop: bytes) -> Behaviour:
    """An answer that begins and then comes drop by drop, for ever."""

    def drip(caller: socket.socket) -> None:
        caller.sendall(first)
        while True:
            time.sleep(0.05)
            caller.sendall(drop)

    return drip


def allow(host: str, port: int) -> None:
    """Staff allow a host inside."""
    AllowedHost.objects.create(host=host, port=port, created_at=timezone.now())
