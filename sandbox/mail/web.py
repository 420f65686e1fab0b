"""The web server of the mailbox."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.mail.store import Store
from sandbox.mail.views import answer
from sandbox.sockets import LOOPBACK


class WebServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: Store, port: int) -> None:
        """Listen on 127.0.0.1; port 0 picks a free one."""
        self.store = store
        super().__init__((LOOPBACK, port), Connection)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is nothing to report."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Connection(BaseHTTPRequestHandler):
    server: WebServer
    timeout = 60  # seconds without a request

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Reading is nothing to write down."""

    def _answer(self) -> None:
        found = answer(self.server.store, self.command, self.path.partition("?")[0])
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found.body)
