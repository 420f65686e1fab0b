"""What a tenant is written when a session was stopped: which one, why, what it means, what helps (M9)."""

from typing import NamedTuple

from billing.runtime.models import Session

_MEANING = (
    "Until it is allowed again no run is started under its name, and no provider key is handed out for its runs. Runs "
    "that it had started before are settled as usual. Its slot is free, and other sessions go on."
)
_TO_DO = {
    "rate": "Find out what makes it start runs so fast. If it is meant to, choose a plan that allows more.",
    "repeats": "Find out why it asks for the same again. If its runs are meant to look alike, let each send a "
    "“fingerprint” that tells it apart from the one before.",
    Session.BY_HAND: "Ask the platform’s staff why it was stopped.",
}
_ALLOW = "Then allow the session again in the console, under Sessions, or let the agent start another one."


class News(NamedTuple):
    """An e-mail's subject, without the tenant's name, and its text."""

    subject: str
    text: str


def news_of(session: Session, *, account: str, workspace: str) -> News:
    """What to tell of a session that was stopped; `account` and `workspace` are names."""
    paragraphs = [_facts(session, account, workspace), _reason(session), _MEANING, _to_do(session)]
    return News(f"session “{_line(session.name)}” was stopped", "\n\n".join(paragraphs))


def _facts(session: Session, account: str, workspace: str) -> str:
    agent = f" of agent {_line(session.agent)}" if session.agent else ""
    return (
        f"Session “{_line(session.name)}”{agent} in workspace {workspace}, billing account “{account}”, was stopped on "
        f"{session.ended_at:%d %B %Y, %H:%M} UTC, after {_runs(session.runs)}."
    )


def _reason(session: Session) -> str:
    """A session is stopped by the run that would pass the bound: what it had is as much as is allowed."""
    if session.stopped_for == "rate":
        had = session.minute_runs
        return f"It asked for {_runs(had + 1)} within a minute; {_allowed(had)}. That is taken for a loop."
    if session.stopped_for == "repeats":
        had = session.repeats
        return f"It asked for the same run {had + 1:,} times in a row; {_allowed(had)}. That is taken for a loop."
    return "Staff of the platform stopped it."


def _to_do(session: Session) -> str:
    return f"{_TO_DO.get(session.stopped_for, _TO_DO[Session.BY_HAND])} {_ALLOW}"


def _line(name: str) -> str:
    """A program's name for something, which adds no paragraph to a text."""
    return " ".join(name.split())


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"


def _allowed(number: int) -> str:
    return "1 is allowed" if number == 1 else f"{number:,} are allowed"
