"""What the stand-ins' servers have in common: this machine alone, a thread a connection, and leaving is no error."""

import sys
from socketserver import ThreadingTCPServer
from typing import Any, ClassVar

from sandbox.sockets import LOOPBACK


class LoopbackServer(ThreadingTCPServer):
    """Listens on 127.0.0.1; port 0 picks a free one. `left` is how a client that went away looks: nothing to report."""

    allow_reuse_address = True
    daemon_threads = True
    left: ClassVar[type[Exception]] = ConnectionError

    def __init__(self, port: int, handler: type[Any]) -> None:
        super().__init__((LOOPBACK, port), handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), self.left):
            super().handle_error(request, client_address)
