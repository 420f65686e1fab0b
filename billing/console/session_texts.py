"""What the console says of a session: its state, why it was stopped, how near it is to being stopped."""

from datetime import datetime, timedelta

from billing.runtime.models import Session
from billing.subscriptions.terms import Limit

_STATES = {
    Session.State.PENDING: "Waiting to start",
    Session.State.RUNNING: "Running",
    Session.State.PAUSED: "Paused",
    Session.State.COMPLETED: "Completed",
    Session.State.FAILED: "Failed",
    Session.State.CANCELLED: "Cancelled",
    Session.State.EXPIRED: "Lost",
    Session.State.STOPPED: "Stopped",
}
_VARIANTS = {
    Session.State.RUNNING: "success",
    Session.State.COMPLETED: "secondary",
    Session.State.FAILED: "destructive",
    Session.State.EXPIRED: "warning",
    Session.State.STOPPED: "destructive",
}
_MINUTE = timedelta(minutes=1)
_NEAR = 80  # percent of a bound


def state_name(session: Session) -> str:
    """A session's state in a word or three."""
    if session.state == Session.State.CANCELLED and session.stopped_for:
        return "Stopped, allowed again"
    return _STATES[Session.State(session.state)]


def state_variant(state: str) -> str:
    """The look of a state's badge."""
    return _VARIANTS.get(Session.State(state), "outline")


def runs_in_minute(session: Session, at: datetime) -> int:
    """Runs in the minute that is being counted; none once it is over."""
    if session.minute_start is None or session.minute_start <= at - _MINUTE:
        return 0
    return session.minute_runs


def stopped_text(session: Session, by: str, *, rate: Limit, repeats: Limit) -> str:
    """Why a session was stopped (M9), or `by` whom; `rate` and `repeats` are the bounds that the account has now."""
    if session.stopped_for == "rate":
        return f"It ran {_times(session.minute_runs)} within a minute and asked for more. {_bound(rate, 'a minute')}"
    if session.stopped_for == "repeats":
        return (
            f"It made the same run {_times(session.repeats)} in a row and asked for it once more. "
            f"{_bound(repeats, 'in a row')}"
        )
    return f"Stopped by {by or 'hand'}."


def warning_text(session: Session, at: datetime, *, rate: Limit, repeats: Limit) -> str:
    """That a live session comes near a bound beyond which it is stopped; empty where it does not."""
    runs = runs_in_minute(session, at)
    if rate.number is not None and runs * 100 >= rate.number * _NEAR:
        return f"{runs:,} runs within a minute: it is stopped beyond {rate.number:,.0f}"
    if repeats.number is not None and session.repeats * 100 >= repeats.number * _NEAR:
        return f"The same run {session.repeats:,} times in a row: it is stopped beyond {repeats.number:,.0f}"
    return ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _bound(bound: Limit, of_what: str) -> str:
    """The bound as it is now, and who set it: the plan, or staff's exception for the account."""
    is_agreed = bound.source == "override"
    if bound.number is None:
        return f"{'As agreed with you there is' if is_agreed else 'The plan has'} no such bound any more."
    whose = "The bound agreed with you" if is_agreed else "The plan's bound"
    return f"{whose} is {bound.number:,.0f} {of_what}."
