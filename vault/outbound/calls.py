"""What is asked of somebody else's server and what it answers, as plain values."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vault.crypto.secret import Secret

BODY_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Auth:
    """The header that carries a key, made only when the call is sent. Basic: the key is `user:password`."""

    header: str
    secret: Secret
    scheme: Literal["", "Bearer", "Token", "Basic"] = ""

    def value(self) -> str:
        """The header's value: plain text, for the wire alone."""
        text = self.secret.reveal()
        if self.scheme == "Basic":
            text = b64encode(text.encode()).decode()
        return f"{self.scheme} {text}".strip()


@dataclass(frozen=True)
class Call:
    """A request. Neither its address nor its headers hold a key: `auth` does.

    An answer beyond `body_limit` bytes is none, or is cut there.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    auth: Auth | None = None
    body_limit: int = BODY_LIMIT
    content: bytes | None = field(default=None, repr=False)
    is_cut: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back, whole. It may repeat the key, so that it is read and thrown away, never kept or shown."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
