"""Load over HTTP: persistent connections, one request after the other on each, from a process of its own.

Requests are made before the clock starts. An answer that is not 2xx aborts the measurement: a refusal is quick, and
would look like speed.
"""

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

_HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
_REST = "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """Requests a second over all clients, the latencies in milliseconds, and the bodies answered."""

    per_second: float
    p50: float
    p99: float
    answers: list[bytes]


def request(path: str, key: str, body: bytes) -> bytes:
    """A request's bytes."""
    head = _HEAD.format(path=path, key=key) + _REST.format(length=len(body))
    return head.encode() + body


def measure(port: int, clients: Sequence[Sequence[bytes]], *, seconds: float | None = None) -> Load:
    """Send each client's requests over its own connection, for a time or until they are used up."""
    connections = [_Client(port, requests) for requests in clients]
    start = time.perf_counter()
    deadline = start + seconds if seconds is not None else float("inf")
    threads = [threading.Thread(target=client.run, args=(deadline,)) for client in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = max(client.ended for client in connections) - start
    for client in connections:
        if client.failure is not None:
            raise SystemExit(f"The load was refused: {client.failure!r}")
    times = sorted(latency for client in connections for latency in client.latencies)
    answers = [answer for client in connections for answer in client.answers]
    return Load(len(times) / took, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3, answers)


class _Client:
    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.requests = requests
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.latencies: list[float] = []
        self.answers: list[bytes] = []
        self.failure: bytes | None = None
        self.ended = 0.0

    def run(self, deadline: float) -> None:
        clock = time.perf_counter
        for message in self.requests:
            began = clock()
            if began > deadline:
                break
            self.socket.sendall(message)
            status, body = self._answer()
            self.latencies.append(clock() - began)
            if not status.startswith(b"HTTP/1.1 2"):
                self.failure = status + b" " + body
                break
            self.answers.append(body)
        self.ended = clock()
        self.socket.close()

    def _answer(self) -> tuple[bytes, bytes]:
        data = self.socket.recv(65536)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.socket.recv(65536)
        head = data[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.find(b"\r", at) if head.find(b"\r", at) > 0 else None])
        parts, have = [data[end + 4 :]], len(data) - end - 4
        while have < length:
            part = self.socket.recv(1 << 20)
            parts.append(part)
            have += len(part)
        return data[: data.find(b"\r\n")], b"".join(parts)
