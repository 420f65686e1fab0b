"""The web server of the mailbox."""

from http.server import BaseHTTPRequestHandler

from sandbox.loopback import LoopbackServer
from sandbox.mail.store import Store
from sandbox.mail.views import answer


class WebServer(LoopbackServer):
    left = OSError

    def __init__(self, store: Store, port: int) -> None:
        self.store = store
        super().__init__(port, Connection)


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
