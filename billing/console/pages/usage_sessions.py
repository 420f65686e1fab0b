"""The session ledger: the sessions of a period with what each of them used, in pages (U5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.pages.usage_choice import Choice
from billing.console.pages.usage_empty import Nothing, nothing_used
from billing.console.pages.usage_names import Names, place_names
from billing.subscriptions.models import BillingAccount
from billing.usage.queries import Lag, lag_of
from billing.usage.session_ledger import Position, SessionLine, session_lines

LINES = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursor(ValueError):
    """A text that is no cursor of the ledger."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as a line; `url` leads to its own page, empty where its workspace is gone."""

    line: SessionLine
    workspace: str
    office: str
    agent: str
    url: str

    @property
    def tokens(self) -> int:
        return self.line.input_tokens + self.line.output_tokens

    @property
    def billed(self) -> Decimal:
        return self.line.cost - self.line.own_key_cost


@dataclass(frozen=True, slots=True)
class SessionSlice:
    """Sessions, the latest first, and the address of the older ones; empty at the end."""

    currency: str
    rows: Sequence[SessionRow]
    next_url: str


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """`is_older`: it does not begin with the latest session. `nothing` says what is missing where there is none."""

    choice: Choice
    currency: str
    slice: SessionSlice
    is_older: bool
    lag: Lag
    nothing: Nothing | None
    at: datetime


def ledger_page(account: BillingAccount, choice: Choice, at: datetime, *, before: Position | None) -> SessionsPage:
    """The period's sessions older than `before`."""
    lines = ledger_slice(account, choice, before=before)
    is_empty = not lines.rows and before is None
    return SessionsPage(
        choice=choice,
        currency=account.currency,
        slice=lines,
        is_older=before is not None,
        lag=lag_of(account.id, at),
        nothing=nothing_used(account.id, choice) if is_empty else None,
        at=at,
    )


def ledger_slice(account: BillingAccount, choice: Choice, *, before: Position | None) -> SessionSlice:
    """Up to a page of sessions; the same queries for any number of them."""
    lines = session_lines(
        account_id=account.id,
        period=choice.period,
        workspace_id=choice.workspace_id,
        limit=LINES + 1,
        before=before,
    )
    shown = lines[:LINES]
    names = place_names(account.tenant_id, {line.agent for line in shown})
    next_url = ""
    if len(lines) > LINES:
        cursor = urlencode({"before": write_cursor(shown[-1].position)})
        next_url = f"{reverse('console:usage_sessions')}?{choice.query}&{cursor}"
    return SessionSlice(account.currency, [_row(line, choice, names) for line in shown], next_url)


def write_cursor(position: Position) -> str:
    """Microseconds since 1970 and the line's id."""
    return f"{(position.last_at - _EPOCH) // _MICROSECOND}-{position.id.hex}"


def read_cursor(text: str) -> Position:
    """Read what `write_cursor` wrote. Raises BadCursor."""
    moment, _, identity = text.partition("-")
    try:
        return Position(_EPOCH + int(moment) * _MICROSECOND, UUID(hex=identity))
    except (ValueError, OverflowError):
        raise BadCursor(text) from None


def _row(line: SessionLine, choice: Choice, names: Names) -> SessionRow:
    slug = names.slug(line.workspace_id)
    which = urlencode({"period": choice.option.key, "workspace": slug, "session": line.session})
    return SessionRow(
        line=line,
        workspace=names.workspace(line.workspace_id),
        office=names.office(line.workspace_id, line.office),
        agent=names.agent(line.agent),
        url=f"{reverse('console:usage_session')}?{which}" if slug else "",
    )
