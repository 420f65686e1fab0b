"""Sessions that loop: stopped at the bound, and told of (M9)."""

from datetime import datetime, timedelta

import pytest
from django.core import mail

from billing.core.ids import decode_id, encode_id
from billing.core.problems import Problem
from billing.notifications.models import Notice
from billing.notifications.services.send_notices import send_notices
from billing.runtime.models import Session
from billing.runtime.services.allow_session import allow_session
from billing.runtime.services.hand_out_credential import hand_out_credential
from billing.runtime.services.stop_session import stop_session
from billing.runtime.services.tell_of_stopped_sessions import tell_of_stopped_sessions
from tenants.models import AuditEvent, User
from tenants.permissions import Role
from tenants.services.add_member import add_member
from tenants.services.record_audit import SYSTEM, Actor
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, finish, start
from tests.runtime.own_keys import own_key
from tests.runtime.slots import (
    RATE,
    REPEATS,
    SLOTS,
    beat,
    fresh,
    limit,
    live,
    refused,
    run_code,
    session_of,
    take,
    take_code,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("catalogue")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def customer() -> Customer:
    """Three runs a minute and session, and three equal ones in a row."""
    customer = make_customer(balance="9")
    limit(customer, **{RATE: 3, REPEATS: 3})
    return customer


def runs(customer: Customer, session: str, number: int, **changes: object) -> list[str]:
    """Start runs that all differ from each other."""
    return [run_code(customer, session, fingerprint=f"{session}{part}", **changes) for part in range(number)]


def stop(session: Session, actor: Actor = SYSTEM, *, at: datetime = AT) -> Session:
    return stop_session(account_id=session.account_id, session_id=session.id, at=at, actor=actor)


def allow(session: Session) -> Session:
    return allow_session(account_id=session.account_id, session_id=session.id, at=AT + MINUTE, actor=SYSTEM)


def test_too_many_runs_a_minute(customer: Customer) -> None:
    """M9: the run beyond the bound is refused and stops the session; others go on."""
    assert runs(customer, "loop", 4) == ["open", "open", "open", "session-stopped"]
    session = Session.objects.get(name="loop")
    assert (session.state, session.stopped_for, session.ended_at, session.runs) == ("stopped", "rate", AT, 3)
    assert runs(customer, "other", 3) == ["open"] * 3
    refusal = refused(customer, "loop", at=AT + 5 * MINUTE)
    assert (refusal.status, refusal.code, refusal.limit_source) == (409, "session-stopped", "override")
    assert "more runs in a minute" in refusal.detail
    assert "allow the session again" in (refusal.remedy or "")


def test_runs_within_the_bound_go_on_for_ever(customer: Customer) -> None:
    """M9: each minute begins with the first run after the one before."""
    for minute in range(4):
        assert runs(customer, "steady", 3, at=AT + minute * MINUTE) == ["open"] * 3


def test_same_run_again_and_again(customer: Customer) -> None:
    """M9: runs of equal model and sizes are the same, unless a fingerprint tells them apart; in a row, in a session."""
    limit(customer, **{RATE: None})
    assert [run_code(customer, "loop") for _ in range(4)] == ["open"] * 3 + ["session-stopped"]
    assert Session.objects.get(name="loop").stopped_for == "repeats"
    refusal = refused(customer, "loop")
    assert (refusal.limit_source, "the same run more often" in refusal.detail) == ("override", True)
    assert runs(customer, "told apart", 9) == ["open"] * 9
    assert [run_code(customer, "sizes", input_tokens=number % 2) for number in range(9)] == ["open"] * 9
    told = [run_code(customer, "told", fingerprint="a", input_tokens=number) for number in range(4)]
    assert told == ["open"] * 3 + ["session-stopped"]
    assert [run_code(customer, str(number)) for number in range(5)] == ["open"] * 5


def test_what_is_no_new_run_counts_for_nothing(customer: Customer) -> None:
    """M2, M9: neither answers from before nor refused runs bring a session nearer to its bounds."""
    limit(customer, tokens_per_month=5000)
    for _ in range(9):
        start(customer, session="nightly", idempotency_key="once")
    for _ in range(9):
        assert run_code(customer, "nightly", input_tokens=4000) == "quota-exceeded-tokens"
    assert runs(customer, "nightly", 2) == ["open", "open"]
    session = Session.objects.get()
    assert (session.runs, session.minute_runs, session.repeats) == (3, 3, 1)
    take(customer, "nightly")
    beat(session)
    assert fresh(session).minute_runs == 3


def test_stopped_session_answers_what_it_did_before(customer: Customer) -> None:
    """M2: the answer to a request is the same after the stop; its runs are settled and given up as ever."""
    first, second, _ = (start(customer, session="loop", idempotency_key=f"k{number}") for number in range(3))
    assert run_code(customer, "loop") == "session-stopped"
    assert start(customer, session="loop", idempotency_key="k0") == first
    assert finish(customer, first, at=AT + SECOND).state == "settled"
    assert abandon(customer, second, at=AT + SECOND).state == "voided"
    session = session_of(first)
    assert (session.open_runs, session.state, session.ended_at, session.heartbeat_at) == (1, "stopped", AT, AT)


def test_stopped_session_takes_nothing(customer: Customer) -> None:
    """M9: neither by name nor by id; its slot is free."""
    limit(customer, **{SLOTS: 1, RATE: 1})
    session = session_of(start(customer, session="loop"))
    assert run_code(customer, "loop") == "session-stopped"
    public = encode_id("ses", session.id)
    assert {run_code(customer, public), take_code(customer, public), take_code(customer, "loop")} == {"session-stopped"}
    for state in (None, "running", "completed"):
        with pytest.raises(Problem, match="session-stopped"):
            beat(session, state)
    assert (live(customer), run_code(customer, "other")) == ([], "open")


@pytest.mark.usefixtures("vault", "providers")
def test_stopped_session_gets_no_keys(customer: Customer) -> None:
    """M9, K5: runs that were granted before are handed nothing after."""
    own_key(customer)
    run, free = start(customer, session="loop"), start(customer, session="other")

    def hand_out(authorization: str) -> str:
        caller, run_id = customer.key.caller, decode_id("auth", authorization)
        return hand_out_credential(caller=caller, authorization_id=run_id, at=AT).credential_source

    assert hand_out(run.id) == "byok"
    runs(customer, "loop", 3)
    with pytest.raises(Problem, match="session-stopped"):
        hand_out(run.id)
    assert hand_out(free.id) == "byok"


def test_no_bound(customer: Customer) -> None:
    """P3, M9: null stops nothing."""
    limit(customer, **{RATE: None, REPEATS: None})
    assert {run_code(customer, "busy") for _ in range(40)} == {"open"}


def test_allowed_again(customer: Customer) -> None:
    """M9: the name begins a new session, with nothing counted; what happened is kept and audited."""
    runs(customer, "loop", 4)
    session = Session.objects.get()
    allowed = allow(session)
    assert (allowed.state, allowed.stopped_for, allowed.ended_at) == ("cancelled", "rate", AT)
    assert runs(customer, "loop", 4) == ["open"] * 3 + ["session-stopped"]
    assert Session.objects.filter(name="loop").count() == 2
    line = AuditEvent.objects.get(action="session.allowed")
    assert (line.target, line.detail) == (encode_id("ses", session.id), {"session": "loop", "stopped_for": "rate"})
    with pytest.raises(Problem, match="nothing-to-change"):
        allow(session)


def test_stopped_by_hand(customer: Customer) -> None:
    """P9, M9: at once, once, and audited; what has ended is not stopped."""
    session = session_of(start(customer, session="nightly", agent="ada"))
    assert stop(session).stopped_for == "hand"
    assert stop(session, at=AT + MINUTE).ended_at == AT
    refusal = refused(customer, "nightly")
    assert (refusal.code, refusal.limit_source) == ("session-stopped", None)
    assert AuditEvent.objects.get(action="session.stopped").detail == {"session": "nightly", "agent": "ada"}
    with pytest.raises(Problem, match="session-ended"):
        stop(beat(take(customer, "other"), "completed"))
    with pytest.raises(Problem, match="not-found"):
        stop(Session(id=session.id, account_id=make_customer().account.id))


def member_of(customer: Customer, role: Role = Role.OWNER) -> User:
    add_member(tenant_id=customer.tenant.id, email=f"{role}@example.com", role=role, at=AT, actor=SYSTEM)
    return User.objects.get(email=f"{role}@example.com")


def told(customer: Customer) -> str:
    """What the tenant is written, as it arrives."""
    member_of(customer)
    assert tell_of_stopped_sessions(at=AT + MINUTE) == 1
    assert tell_of_stopped_sessions(at=AT + 2 * MINUTE) == 0
    assert send_notices(at=AT + MINUTE) == 1
    (sent,) = mail.outbox
    assert sent.subject == f"{customer.tenant.name}: Session “loop” was stopped"
    return str(sent.body).partition("\n\nSee sessions: ")[0]


def test_mail_about_too_many_runs(customer: Customer) -> None:
    """M9: which session, when, why, what it means, what helps; once."""
    runs(customer, "loop", 4, agent="ada")
    assert told(customer) == (
        f"Session “loop” of agent ada in workspace Main, billing account “{customer.account.name}”, was stopped on "
        "10 March 2026, 12:00 UTC, after 3 runs.\n\n"
        "It asked for 4 runs within a minute; 3 are allowed. That is taken for a loop.\n\n"
        "Until it is allowed again no run is started under its name, and no provider key is handed out for its runs. "
        "Runs that it had started before are settled as usual. Its slot is free, and other sessions go on.\n\n"
        "Find out what makes it start runs so fast. If it is meant to, choose a plan that allows more. Then allow the "
        "session again in the console, under Sessions, or let the agent start another one."
    )


def test_mail_about_the_same_run(customer: Customer) -> None:
    """M9: with the number of repetitions, and how to tell runs apart."""
    limit(customer, **{REPEATS: 1})
    assert [run_code(customer, "loop") for _ in range(2)] == ["open", "session-stopped"]
    _, reason, _, to_do = told(customer).split("\n\n")
    assert reason == "It asked for the same run 2 times in a row; 1 is allowed. That is taken for a loop."
    assert "“fingerprint”" in to_do


def test_mail_about_a_stop_by_staff(customer: Customer) -> None:
    """M9: a tenant hears of what others than its own members did."""
    stop(take(customer, "loop"), Actor(user_id=User.objects.create(email="staff@example.com", is_staff=True).id))
    facts, reason, _, to_do = told(customer).split("\n\n")
    assert facts.endswith("12:00 UTC, after 0 runs.")
    assert (reason, to_do.startswith("Ask the platform’s staff")) == ("Staff of the platform stopped it.", True)


def test_names_add_nothing_to_a_mail(customer: Customer) -> None:
    """M9: what a program calls its session and its agent stands in a line of the text."""
    stop(take(customer, "loop", agent="ada\n\nPlease pay"), SYSTEM)
    assert told(customer).startswith("Session “loop” of agent ada Please pay in workspace Main, billing")


def test_own_stop_is_no_news(customer: Customer) -> None:
    """M9: whom a member's own stop would tell of it was there."""
    stop(take(customer, "a"), Actor(user_id=member_of(customer).id))
    stop(take(customer, "b"), Actor(key_id=customer.key.row.id))
    assert (tell_of_stopped_sessions(at=AT), Notice.objects.count()) == (0, 0)


def test_stop_that_was_taken_back_is_no_news(customer: Customer) -> None:
    """M9: nobody is asked to do what has been done."""
    runs(customer, "loop", 4)
    allow(Session.objects.get())
    assert tell_of_stopped_sessions(at=AT) == 0
