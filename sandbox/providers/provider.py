"""What a stand-in for one provider consists of."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from sandbox.providers.keys import Form, State, key_text
from sandbox.providers.wire import Answer, Json, Request, json_answer

RETRY_AFTER = 20  # seconds


class Cause(StrEnum):
    """Why a request is refused."""

    MISSING_KEY = "missing_key"
    MISSING_HEADER = "missing_header"
    INVALID = "invalid"
    RESTRICTED = "restricted"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    BROKEN = "broken"


@dataclass(frozen=True)
class Trouble:
    """A refusal in the provider's terms: status, machine-readable words, a sentence for people."""

    status: int
    code: str
    message: str
    kind: str = ""


@dataclass(frozen=True)
class Call:
    """A request with a key that works; `match` is of the route's path."""

    request: Request
    key: str
    match: re.Match[str]

    @property
    def json(self) -> Json:
        return self.request.json()


class Refused(Exception):
    """A route found something wrong with the request itself."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause


View = Callable[[Call], object]
"""Makes the body of a success."""


@dataclass(frozen=True)
class Provider:
    """`routes` are keyed by method and path pattern; the first one is the check of a key.

    `even_so` are answers of that check to keys in other states than valid: some providers answer 200 and say in the
    body what is wrong. `missing_header` names a header that a request lacks besides its key.
    """

    id: str
    name: str
    kind: str
    form: Form
    find_key: Callable[[Request], str]
    routes: Mapping[str, View]
    troubles: Mapping[Cause, Trouble]
    error_body: Callable[[Trouble], object]
    even_so: Mapping[State, View] = field(default_factory=dict)
    missing_header: Callable[[Request], bool] = lambda _request: False
    needs_key: bool = True
    error_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def check(self) -> str:
        """The method and path of the check, for people."""
        return next(iter(self.routes)).replace(r"\.", ".").replace("(?P<account>[^/]+?)", "{account sid}")

    def key(self, name: str = State.VALID) -> str:
        """The key of this state or name."""
        return key_text(self.form, self.id, name)

    def route(self, method: str, path: str) -> tuple[View, re.Match[str], bool] | None:
        """What serves this path, how it matched, and whether it is the check; None where nothing does."""
        for number, (pattern, view) in enumerate(self._patterns):
            if match := pattern.fullmatch(f"{method} {path}"):
                return view, match, number == 0
        return None

    def refusal(self, cause: Cause, *, status: int | None = None, message: str | None = None) -> Answer:
        """The provider's own error; `status` and `message` replace its usual ones."""
        usual = self.troubles.get(cause) or _OTHERWISE[cause]
        trouble = Trouble(status or usual.status, usual.code, message or usual.message, usual.kind)
        headers = dict(self.error_headers)
        if cause is Cause.RATE_LIMITED:
            headers["Retry-After"] = str(RETRY_AFTER)
        body = self.error_body(trouble)
        if isinstance(body, str):
            return Answer(trouble.status, body.encode(), {"Content-Type": "text/plain; charset=utf-8"} | headers)
        return json_answer(body, status=trouble.status, headers=headers)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], View]]:
        return [(re.compile(route), view) for route, view in self.routes.items()]


_OTHERWISE = {
    Cause.MISSING_KEY: Trouble(401, "unauthorized", "No API key was sent."),
    Cause.MISSING_HEADER: Trouble(400, "bad_request", "A required header is missing."),
    Cause.INVALID: Trouble(401, "unauthorized", "The API key is not valid."),
    Cause.RESTRICTED: Trouble(403, "forbidden", "The API key may not do this."),
    Cause.RATE_LIMITED: Trouble(429, "too_many_requests", "Too many requests."),
    Cause.QUOTA_EXHAUSTED: Trouble(402, "payment_required", "There is no credit left."),
    Cause.BAD_REQUEST: Trouble(400, "bad_request", "The request cannot be understood."),
    Cause.NOT_FOUND: Trouble(404, "not_found", "There is nothing at this address."),
    Cause.BROKEN: Trouble(500, "internal_error", "Something went wrong at our end."),
}
