"""Sessions of a customer in a line."""

from datetime import datetime
from typing import Any

import pytest

from billing.core.ids import decode_id
from billing.core.problems import Problem
from billing.runtime.models import Session
from billing.runtime.services.beat_session import beat_session
from billing.runtime.services.open_session import open_session
from billing.runtime.session_queries import live_sessions
from billing.subscriptions.services.override_entitlement import override_entitlement
from tests.make import AT, Customer
from tests.money_make import start

SLOTS, RATE, REPEATS = "concurrent_sessions_limit", "session_runs_per_minute", "session_repeats_limit"


def limit(customer: Customer, **values: int | None) -> None:
    """Limits of the customer's own, as staff set them."""
    for feature, value in values.items():
        override_entitlement(account_id=customer.account.id, feature=feature, value=value, reason="test", at=AT)


def take(customer: Customer, name: str = "", *, at: datetime = AT, **more: Any) -> Session:
    """A slot for a session, new or renewed."""
    place = {
        "account_id": customer.account.id,
        "tenant_id": customer.tenant.id,
        "workspace_id": customer.workspace.id,
    }
    return open_session(**(place | more), name=name, at=at)[0]


def beat(session: Session, state: str | None = None, *, at: datetime = AT) -> Session:
    return beat_session(session_id=session.id, account_id=session.account_id, state=state, at=at)


def live(customer: Customer, at: datetime = AT) -> list[str]:
    """The names of the sessions that hold slots, the oldest first."""
    return [session.name for session in reversed(live_sessions(account_id=customer.account.id, at=at))]


def fresh(session: Session) -> Session:
    return Session.objects.get(id=session.id)


def session_of(run: Any) -> Session:
    """The session that a run was answered to be in."""
    return Session.objects.get(id=decode_id("ses", run.session))


def run_code(customer: Customer, session: str, **changes: Any) -> str:
    """`open`, or the code of the refusal."""
    try:
        return start(customer, session=session, **changes).state
    except Problem as refusal:
        return refusal.code


def take_code(customer: Customer, name: str = "", **more: Any) -> str:
    """The state of the session, or the code of the refusal."""
    try:
        return take(customer, name, **more).state
    except Problem as refusal:
        return refusal.code


def refused(customer: Customer, session: str, **changes: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        start(customer, session=session, **changes)
    return caught.value
