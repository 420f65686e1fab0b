"""Subscribers of webhooks: real servers on the loopback address that answer as they are told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.utils import timezone

from vault.models import AllowedHost


@dataclass(frozen=True)
class Request:
    """A webhook as it arrived; names of headers in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Reply = tuple[int, bytes, dict[str, str]]
Behaviour = Callable[[Request], Reply]


def ok(request: Request) -> Reply:
    return 204, b"", {}


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """`retry_after="3"` is a header."""
    return lambda _: (code, body, {name.replace("_", "-"): value for name, value in headers.items()})


def slow(seconds: float) -> Behaviour:
    def wait(request: Request) -> Reply:
        time.sleep(seconds)
        return 204, b"", {}

    return wait


@dataclass
class Receiver:
    """`got` holds what arrived, in order; `most_at_once` how many were open at the same time."""

    port: int = 0
    behave: Behaviour = ok
    got: list[Request] = field(default_factory=list)
    most_at_once: int = 0
    open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def take(self, request: Request) -> Reply:
        with self.lock:
            self.got.append(request)
            self.open += 1
            self.most_at_once = max(self.most_at_once, self.open)
        try:
            return self.behave(request)
        finally:
            with self.lock:
                self.open -= 1


@contextmanager
def receiving(behave: Behaviour = ok, *, is_allowed: bool = True) -> Iterator[Receiver]:
    """A subscriber that staff allow inside, unless it is said otherwise."""
    receiver = Receiver(behave=behave)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            code, answer, more = receiver.take(Request(self.path, headers, body))
            self.send_response(code)
            for name, value in {"Content-Length": str(len(answer)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The caller has hung up, as it may."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        serving.start()
        if is_allowed:
            AllowedHost.objects.create(host="127.0.0.1", port=receiver.port, created_at=timezone.now())
        try:
            yield receiver
        finally:
            server.shutdown()
            serving.join()
