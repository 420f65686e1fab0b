"""The sessions page: which slots are taken by whom, what was stopped and why, and what has ended (P9, M9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.pages.keys.places import SEPARATOR
from billing.console.session_queries import ended_sessions, stopped_sessions, stoppers_of, workspace_names
from billing.console.session_texts import runs_in_minute, state_name, state_variant, stopped_text, warning_text
from billing.core.ids import encode_id
from billing.runtime.models import Session
from billing.runtime.session_queries import as_of, live_sessions
from billing.runtime.slots import SLOTS, bound, lease_seconds
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms, Limit

MOST_LIVE, MOST_STOPPED, ENDED = 100, 50, 20
REFRESH_SECONDS = 5
OFF = "off"
_NO_LIMIT = Limit(None, "")  # the sessions that have ended are told without bounds


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as a line. `last_at` is its latest sign of life, `open_runs` are authorized and not settled.

    `reason` tells why it was stopped; `warning` that it soon will be.
    """

    id: UUID
    public_id: str
    name: str
    place: str
    user: str
    state_name: str
    variant: str
    started_at: datetime
    last_at: datetime
    ended_at: datetime | None
    runs: int
    open_runs: int
    minute_runs: int
    reason: str
    warning: str


@dataclass(frozen=True, slots=True)
class Slots:
    """How many sessions are live, and how many may be; `limit` is None where the plan sets none.

    `lease_seconds` is how long a sign of life keeps a slot.
    """

    used: int
    limit: int | None
    lease_seconds: int

    @property
    def percent(self) -> Decimal:
        """Of a limit of zero everything is used."""
        return Decimal(self.used * 100) / self.limit if self.limit else Decimal(100)

    @property
    def free(self) -> int:
        return max(0, (self.limit or 0) - self.used)


@dataclass(frozen=True, slots=True)
class LiveSessions:
    """What changes by itself: the slots, the live sessions and the stopped ones.

    `may_end`: the member may end and allow sessions; `is_paused`: it does not refresh.
    """

    slots: Slots
    rows: Sequence[SessionRow]
    stopped: Sequence[SessionRow]
    has_more_stopped: bool
    may_end: bool
    is_paused: bool
    at: datetime

    @property
    def more(self) -> int:
        """Live sessions that are not listed."""
        return self.slots.used - len(self.rows)

    @property
    def refresh_seconds(self) -> int:
        return REFRESH_SECONDS


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """Ended sessions, the latest first, and the address of the next ones; empty at the end."""

    rows: Sequence[SessionRow]
    next_url: str


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """`is_new`: the account has had no session so far."""

    live: LiveSessions
    ended: EndedSessions
    example_url: str

    @property
    def is_new(self) -> bool:
        return not (self.live.rows or self.live.stopped or self.ended.rows)


def live_part(account: BillingAccount, at: datetime, *, may_end: bool, is_paused: bool) -> LiveSessions:
    """Raises NoActivePlan. The same queries for any number of sessions."""
    terms = terms_of(account.id, at)
    live = live_sessions(account_id=account.id, at=at)
    stopped = stopped_sessions(account.id, limit=MOST_STOPPED + 1)
    shown, held = live[:MOST_LIVE], stopped[:MOST_STOPPED]
    facts = _facts([*shown, *held], terms, at)
    return LiveSessions(
        slots=Slots(len(live), bound(terms, SLOTS), lease_seconds()),
        rows=[_row(session, facts) for session in shown],
        stopped=[_row(session, facts) for session in held],
        has_more_stopped=len(stopped) > MOST_STOPPED,
        may_end=may_end,
        is_paused=is_paused,
        at=at,
    )


def ended_part(account: BillingAccount, at: datetime, *, before: UUID | None = None) -> EndedSessions:
    """Sessions that are over; two queries."""
    ended = ended_sessions(account.id, at=at, limit=ENDED + 1, before=before)
    shown = ended[:ENDED]
    facts = _Facts(workspace_names(session.workspace_id for session in shown), {}, _NO_LIMIT, _NO_LIMIT, at)
    more = urlencode({"before": encode_id("ses", shown[-1].id)}) if len(ended) > ENDED else ""
    rows = [_row(session, facts) for session in shown]
    return EndedSessions(rows, f"{reverse('console:sessions')}?{more}" if more else "")


def sessions_page(
    account: BillingAccount, live: LiveSessions, at: datetime, *, origin: str, before: UUID | None = None
) -> SessionsPage:
    """The live part with what has ended; `origin` is this site's, for the example of a call."""
    return SessionsPage(live, ended_part(account, at, before=before), f"{origin}/v1/sessions")


def session_row(account: BillingAccount, session: Session, at: datetime) -> SessionRow:
    """One session by itself, for the question whether to end it or allow it again. Raises NoActivePlan."""
    return _row(as_of(session, at), _facts([session], terms_of(account.id, at), at))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What lines are told with: names of workspaces, who stopped which session, the plan's bounds."""

    workspaces: Mapping[UUID, str]
    stoppers: Mapping[UUID, str]
    rate: Limit
    repeats: Limit
    at: datetime


def _facts(sessions: Sequence[Session], terms: AccountTerms, at: datetime) -> _Facts:
    return _Facts(
        workspaces=workspace_names(session.workspace_id for session in sessions),
        stoppers=stoppers_of(sessions),
        rate=terms.limit("session_runs_per_minute"),
        repeats=terms.limit("session_repeats_limit"),
        at=at,
    )


def _row(session: Session, facts: _Facts) -> SessionRow:
    place = [facts.workspaces.get(session.workspace_id, ""), session.office, session.agent]
    bounds = {"rate": facts.rate, "repeats": facts.repeats}
    is_stopped = session.state == Session.State.STOPPED
    return SessionRow(
        id=session.id,
        public_id=encode_id("ses", session.id),
        name=session.name,
        place=SEPARATOR.join(part for part in place if part),
        user=session.end_user,
        state_name=state_name(session),
        variant=state_variant(session.state),
        started_at=session.started_at,
        last_at=session.heartbeat_at,
        ended_at=session.ended_at,
        runs=session.runs,
        open_runs=session.open_runs,
        minute_runs=runs_in_minute(session, facts.at),
        reason=stopped_text(session, facts.stoppers.get(session.id, ""), **bounds) if is_stopped else "",
        warning=warning_text(session, facts.at, **bounds) if session.ended_at is None else "",
    )
