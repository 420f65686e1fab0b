"""The HTTP server: one thread a connection, connections kept alive, one call at a time on the state."""

import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from sandbox.loopback import LoopbackServer
from sandbox.stripe.application import Answer, Application, Request

LARGEST_BODY = 1_000_000  # bytes


class Server(LoopbackServer):
    request_queue_size = 128

    def __init__(self, application: Application, port: int) -> None:
        self.application = application
        super().__init__(port, Connection)


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    timeout = 120  # seconds without a request

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Calls are many, and some carry card numbers."""

    def log_error(self, text: str, *args: Any) -> None:
        """A connection that nobody used for a while is nothing to report."""
        if not isinstance(sys.exception(), TimeoutError):
            super().log_error(text, *args)

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body.decode("utf-8", errors="replace"))
        self._send(self.server.application.answer(request))

    def _send(self, answer: Answer) -> None:
        if answer.hang_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
