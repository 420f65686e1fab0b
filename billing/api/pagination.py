"""Pages by position: a cursor names the last row of a page, so that rows which arrive meanwhile shift nothing.

A cursor is opaque, not secret: it holds a row's id, and a time where the list is ordered by one. Each list is narrowed
to its caller before the cursor counts, so that somebody else's cursor shows nothing of theirs.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from billing.core.problems import Problem, problem

Row = TypeVar("Row")
Answer = TypeVar("Answer")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID, _TIME = 16, 8  # bytes


def encode_cursor(row_id: UUID, at: datetime | None = None) -> str:
    """The position of a row, in letters and digits of base64url."""
    since = b"" if at is None else ((at - _EPOCH) // timedelta(microseconds=1)).to_bytes(_TIME, signed=True)
    return base64.urlsafe_b64encode(row_id.bytes + since).rstrip(b"=").decode()


def id_of(query: dict[str, Any]) -> UUID | None:
    """The position in a list ordered by id. Raises the problem invalid-cursor."""
    return None if "cursor" not in query else UUID(bytes=_decoded(query["cursor"], _ID))


def time_and_id_of(query: dict[str, Any]) -> tuple[datetime, UUID] | None:
    """The position in a list ordered by time. Raises the problem invalid-cursor."""
    if "cursor" not in query:
        return None
    data = _decoded(query["cursor"], _ID + _TIME)
    try:
        at = _EPOCH + timedelta(microseconds=int.from_bytes(data[_ID:], signed=True))
    except OverflowError:
        raise _invalid() from None
    return at, UUID(bytes=data[:_ID])


def paged(
    rows: list[Row], limit: int, answer: Callable[[Row], Answer], cursor: Callable[[Row], str]
) -> tuple[list[Answer], str | None]:
    """The answers of a page and the cursor to the next one, from `limit` + 1 rows, or fewer at the end."""
    page = rows[:limit]
    return [answer(row) for row in page], cursor(page[-1]) if len(rows) > limit else None


def _decoded(text: str, length: int) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    # One spelling for each position: what was not written here is not read here.
    if len(data) != length or base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise _invalid()
    return data


def _invalid() -> Problem:
    return problem("invalid-cursor", "The cursor is not one of this list.", remedy="Begin without a cursor.")
