"""The mails that arrived, one file each, so that they outlive the run."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Lock

MOST_KEPT = 500
_HEAD = b"X-Quaestor-Envelope: "


@dataclass(frozen=True)
class Envelope:
    """What the sender said beside the mail: from whom, to whom; and when it arrived."""

    sender: str
    recipients: Sequence[str]
    arrived_at: str


@dataclass(frozen=True)
class Attachment:
    name: str
    kind: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """A mail as people read it. `html` and `text` are empty where it has no such part."""

    id: int
    envelope: Envelope
    subject: str
    sender: str
    to: str
    text: str
    html: str
    attachments: Sequence[Attachment]
    source: str

    @property
    def arrived_at(self) -> datetime:
        return datetime.fromisoformat(self.envelope.arrived_at)


class Store:
    """A folder of mails; the oldest go when there are more than are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> int:
        """Keep a mail; answers its number."""
        envelope = Envelope(sender, list(recipients), datetime.now(UTC).isoformat())
        with self._lock:
            numbers = self.numbers()
            number = numbers[0] + 1 if numbers else 1
            path, part = self._path(number), self._folder / "arriving"
            part.write_bytes(_HEAD + json.dumps(asdict(envelope)).encode() + b"\r\n" + content)
            part.rename(path)
            for old in numbers[MOST_KEPT - 1 :]:
                self._path(old).unlink(missing_ok=True)
        return number

    def numbers(self) -> list[int]:
        """Of all mails, the newest first."""
        return sorted((int(path.stem) for path in self._folder.glob("*.eml")), reverse=True)

    def find(self, number: int) -> Mail | None:
        try:
            first, _, content = self._path(number).read_bytes().partition(b"\r\n")
        except FileNotFoundError:
            return None
        return _read(number, Envelope(**json.loads(first.removeprefix(_HEAD))), content)

    def all(self) -> list[Mail]:
        """The newest first."""
        return [mail for number in self.numbers() if (mail := self.find(number)) is not None]

    def clear(self) -> None:
        with self._lock:
            for number in self.numbers():
                self._path(number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.eml"


def _read(number: int, envelope: Envelope, content: bytes) -> Mail:
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    return Mail(
        id=number,
        envelope=envelope,
        subject=str(message["subject"] or "").strip() or "(no subject)",
        sender=str(message["from"] or envelope.sender),
        to=str(message["to"] or ", ".join(envelope.recipients)),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        attachments=[_attachment(part) for part in message.iter_attachments()],
        source=content.decode(errors="replace"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""


def _attachment(part: EmailMessage) -> Attachment:
    content = part.get_payload(decode=True)
    return Attachment(
        name=part.get_filename() or "attachment",
        kind=part.get_content_type(),
        content=content if isinstance(content, bytes) else b"",
    )
