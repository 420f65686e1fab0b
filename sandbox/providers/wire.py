"""What goes over the wire: requests as they came, answers as they leave."""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """Header names are lower case; the path is without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def bearer(self) -> str:
        return self.after_scheme("bearer")

    def after_scheme(self, scheme: str) -> str:
        """What follows the scheme in the Authorization header; empty for another scheme or none."""
        name, _, rest = self.headers.get("authorization", "").partition(" ")
        return rest.strip() if name.lower() == scheme else ""

    def user_and_password(self) -> str:
        """The two of basic authentication, joined by a colon; empty where there are none."""
        try:
            return b64decode(self.after_scheme("basic"), validate=True).decode()
        except (Base64Error, UnicodeDecodeError):
            return ""

    def json(self) -> Json:
        """The body; an empty object where it is no JSON object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Answer:
    """`after` seconds pass first; who hangs up sends nothing."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    hang_up: bool = False


def json_answer(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"} | dict(headers or {}))
