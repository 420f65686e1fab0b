"""The mail server: takes whatever it is given, from anybody on this machine, and passes nothing on (RFC 5321)."""

import re
from socketserver import StreamRequestHandler

from sandbox.loopback import LoopbackServer
from sandbox.mail.store import Store

LARGEST = 26_214_400  # bytes of a mail
LONGEST_LINE = 65_536
PATIENCE = 60  # seconds for the next line
_ADDRESS = re.compile(r"^(?:FROM|TO):\s*<([^<>]*)>", re.IGNORECASE)


class SmtpServer(LoopbackServer):
    left = OSError  # or who fell asleep

    def __init__(self, store: Store, port: int) -> None:
        self.store = store
        super().__init__(port, Session)


class Session(StreamRequestHandler):
    """One connection: any number of mails, one after another."""

    server: SmtpServer
    timeout = PATIENCE

    def setup(self) -> None:
        super().setup()
        self._sender = ""
        self._recipients: list[str] = []

    def handle(self) -> None:
        self._say("220 Quaestor's mailbox")
        while line := self.rfile.readline(LONGEST_LINE):
            verb, _, rest = line.decode(errors="replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._say("221 Goodbye")
                return
            self._do(verb.upper(), rest)

    def _do(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO":
                self._say("250-mailbox", "250-8BITMIME", "250-SMTPUTF8", f"250 SIZE {LARGEST}")
            case "HELO" | "NOOP":
                self._say("250 OK")
            case "RSET":
                self._forget()
                self._say("250 OK")
            case "MAIL" | "RCPT":
                self._address(verb, rest)
            case "DATA":
                self._take()
            case _:
                self._say("502 Not known here")

    def _address(self, verb: str, rest: str) -> None:
        found = _ADDRESS.match(rest)
        if found is None:
            self._say("501 Not an address")
            return
        if verb == "MAIL":
            self._forget()
            self._sender = found[1]
        else:
            self._recipients.append(found[1])
        self._say("250 OK")

    def _take(self) -> None:
        """A mail ends with a dot by itself; a line that begins with one has been given a second (4.5.2)."""
        if not self._recipients:
            self._say("503 To whom?")
            return
        self._say("354 Go on, end with a dot")
        lines, size = [], 0
        while (line := self.rfile.readline(LONGEST_LINE)) not in {b".\r\n", b".\n"}:
            if not line:
                return  # hung up before the end: that is no mail
            size += len(line)
            if size <= LARGEST:
                lines.append(line[1:] if line.startswith(b".") else line)
        if size > LARGEST:
            self._say("552 Too large")
        else:
            number = self.server.store.add(b"".join(lines), sender=self._sender, recipients=self._recipients)
            self._say(f"250 Kept as {number}")
        self._forget()

    def _forget(self) -> None:
        self._sender, self._recipients = "", []

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
