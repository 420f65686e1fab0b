"""Both servers of the mailbox, in threads: `with Mailbox(folder) as box: ... box.email_url, box.url`."""

from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from sandbox.mail.smtp import SmtpServer
from sandbox.mail.store import Store
from sandbox.mail.web import WebServer
from sandbox.sockets import LOOPBACK

_POLL = 0.1  # seconds to notice that it is to stop


class Mailbox:
    """Takes mails on one port and shows them on another; port 0 picks a free one."""

    def __init__(self, folder: Path, *, port: int = 0, smtp_port: int = 0) -> None:
        self.store = Store(folder)
        self._servers = (WebServer(self.store, port), SmtpServer(self.store, smtp_port))

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._servers[0].port}"

    @property
    def email_url(self) -> str:
        """As EMAIL_URL takes it."""
        return f"smtp://{LOOPBACK}:{self._servers[1].port}"

    def __enter__(self) -> Self:
        for server in self._servers:
            Thread(target=server.serve_forever, args=(_POLL,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
