"""The HTTP server: one thread a connection, connections kept alive."""

import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

from sandbox.loopback import LoopbackServer
from sandbox.providers.application import Application
from sandbox.providers.control import PREFIX, answer_control
from sandbox.providers.wire import Answer, Request

LARGEST_BODY = 8_000_000  # bytes
NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Server(LoopbackServer):
    request_queue_size = 128

    def __init__(self, application: Application, port: int) -> None:
        self.application = application
        self.stopping = Event()
        super().__init__(port, Connection)


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    timeout = 120  # seconds without a request

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Calls are many."""

    def log_error(self, text: str, *args: Any) -> None:
        """A connection that nobody used for a while is nothing to report."""
        if not isinstance(sys.exception(), TimeoutError):
            super().log_error(text, *args)

    def _answer(self) -> None:
        body = self._read_body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path.partition("?")[0], headers, body)
        application = self.server.application
        if request.path.startswith(PREFIX):
            self._send(answer_control(application, request))
        else:
            self._send(application.answer(request))

    def _read_body(self) -> bytes | None:
        """The body; None where it cannot be taken, which has been answered then."""
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding"):
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
            return None
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_error(status)

    def _send(self, answer: Answer) -> None:
        """A delay ends when the server does."""
        if answer.after:
            self.server.stopping.wait(answer.after)
        if answer.hang_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in NO_BODY:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
