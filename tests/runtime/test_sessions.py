"""Slots of sessions: taken, kept, freed, and lost (P9)."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from billing.core.problems import Problem
from billing.runtime.models import Session
from billing.runtime.services.end_lost_sessions import end_lost_sessions
from billing.runtime.services.end_session import end_session
from billing.runtime.services.expire_holds import expire_holds
from billing.runtime.session_queries import count_live, find_session, sessions_page
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import Subscription
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import UsageEvent
from tests.make import AT, Customer, make_account, make_customer, make_workspace
from tests.money_make import abandon, finish, start
from tests.runtime.slots import SLOTS, beat, fresh, limit, live, refused, run_code, session_of, take, take_code

pytestmark = pytest.mark.usefixtures("catalogue")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def customer() -> Customer:
    """One that may have two sessions at once."""
    customer = make_customer(balance="9")
    limit(customer, **{SLOTS: 2})
    return customer


def test_session_takes_a_slot(customer: Customer) -> None:
    """P9: whatever is known of it is kept; without a name its id is its name."""
    session = fresh(take(customer, "nightly", office="sales", agent="ada", user="bob", state="pending"))
    assert (session.name, session.state, session.office, session.agent, session.end_user) == (
        "nightly", "pending", "sales", "ada", "bob",
    )  # fmt: skip
    assert (session.started_at, session.heartbeat_at, session.lease_until) == (AT, AT, AT + MINUTE)
    nameless = take(customer)
    assert nameless.name == f"ses_{nameless.id.hex}"
    assert live(customer) == ["nightly", nameless.name]
    assert count_live(customer.account.id, AT) == 2


def test_no_slot_is_free(customer: Customer) -> None:
    """P9: 429 with the plan's figures and when a slot may be free; nothing is written, for a run nothing held."""
    take(customer, "a")
    take(customer, "b", at=AT + 10 * SECOND)
    for refusal in (refused(customer, "c", at=AT + 15 * SECOND), _refused_slot(customer, "c")):
        assert (refusal.code, refusal.status) == ("quota-exceeded-concurrent-sessions", 429)
        assert (refusal.limit_source, refusal.detail) == ("override", "Sessions that are live: 2; 2 may be at once.")
    assert refused(customer, "c", at=AT + 15 * SECOND).retry_after == 45
    assert live(customer, AT + 15 * SECOND) == ["a", "b"]
    assert customer.account.credits.debits_pending == 0


def _refused_slot(customer: Customer, name: str) -> Problem:
    with pytest.raises(Problem) as caught:
        take(customer, name, at=AT + 15 * SECOND)
    return caught.value


def test_live_session_of_that_name_is_given_back(customer: Customer) -> None:
    """P9: the same name is the same slot; the call renews it and adds what was not known."""
    session = take(customer, "nightly", agent="ada")
    take(customer, "other")
    again = take(customer, "nightly", agent="bob", office="sales", state="paused", at=AT + 30 * SECOND)
    assert (again.id, again.agent, again.office, again.state) == (session.id, "ada", "sales", "paused")
    assert fresh(again).lease_until == AT + 90 * SECOND
    assert take(customer, f"ses_{session.id.hex}", at=AT + 31 * SECOND).id == session.id


def test_run_takes_a_slot_and_keeps_it(customer: Customer) -> None:
    """P9: a run in a session needs no call before it; its events are the session's, by whichever name it is called."""
    run = start(customer, session="nightly", agent="ada", user="bob")
    session = session_of(run)
    assert (session.name, session.agent, session.end_user, session.runs, session.open_runs) == (
        "nightly", "ada", "bob", 1, 1,
    )  # fmt: skip
    again = start(customer, session=f"ses_{session.id.hex}", at=AT + SECOND)
    assert (again.session, fresh(session).runs) == (run.session, 2)
    finish(customer, again, at=AT + 2 * SECOND)
    assert UsageEvent.objects.get().session == "nightly"
    assert live(customer) == ["nightly"]


def test_run_without_a_session_needs_no_slot(customer: Customer) -> None:
    """P9: slots are of sessions alone."""
    limit(customer, **{SLOTS: 0})
    assert start(customer).session is None
    assert run_code(customer, "nightly") == "quota-exceeded-concurrent-sessions"


def test_refused_run_takes_no_slot() -> None:
    """P9, M2: what cannot be paid for begins no session."""
    customer = make_customer(balance="0.001")
    assert run_code(customer, "nightly") == "insufficient-credits"
    assert not Session.objects.exists()


def test_slot_of_a_dead_holder_is_free_after_the_time_out(customer: Customer) -> None:
    """P9: by the clock alone; no worker runs."""
    take(customer, "a")
    session = take(customer, "b")
    beat(session, at=AT + 20 * SECOND)
    limit(customer, **{SLOTS: 1})
    assert take_code(customer, "c", at=AT + MINUTE) == "quota-exceeded-concurrent-sessions"
    assert run_code(customer, "c", at=AT + 80 * SECOND - INSTANT) == "quota-exceeded-concurrent-sessions"
    assert run_code(customer, "c", at=AT + 80 * SECOND) == "open"
    assert live(customer, AT + 80 * SECOND) == ["c"]


def test_time_out_is_a_setting(customer: Customer, settings: Settings) -> None:
    """P9: SESSION_TIMEOUT_SECONDS."""
    settings.SESSION_TIMEOUT_SECONDS = 5
    take(customer, "a")
    assert (live(customer, AT + 4 * SECOND), live(customer, AT + 5 * SECOND)) == (["a"], [])


def test_run_under_way_keeps_the_slot(customer: Customer) -> None:
    """P9: as long as its authorization; settled, the last of them leaves the usual time."""
    first, second = (start(customer, session="nightly", at=AT + number * SECOND) for number in range(2))
    assert live(customer, AT + 14 * MINUTE) == ["nightly"]
    finish(customer, first, at=AT + MINUTE)
    assert live(customer, AT + 14 * MINUTE) == ["nightly"]
    finish(customer, second, at=AT + 2 * MINUTE)
    assert live(customer, AT + 3 * MINUTE - INSTANT) == ["nightly"]
    assert live(customer, AT + 3 * MINUTE) == []


def test_void_run_leaves_the_usual_time(customer: Customer) -> None:
    """P9: who gives a run up is alive."""
    run = start(customer, session="nightly")
    abandon(customer, run, at=AT + MINUTE)
    assert fresh(session_of(run)).lease_until == AT + 2 * MINUTE
    abandon(customer, run, at=AT + 90 * SECOND)
    assert fresh(session_of(run)).open_runs == 0


def test_run_that_nobody_closes_is_no_sign_of_life(customer: Customer) -> None:
    """P9: its slot is free when its authorization expires, and the sweep does not give it back."""
    run = start(customer, session="nightly")
    assert live(customer, AT + 15 * MINUTE) == []
    assert expire_holds(at=AT + 16 * MINUTE) == 1
    session = session_of(run)
    assert (session.open_runs, session.heartbeat_at, live(customer, AT + 16 * MINUTE)) == (0, AT, [])


def test_sweep_leaves_a_session_that_shows_signs_of_life(customer: Customer) -> None:
    """P9: an expired run does not end the session that goes on."""
    session = session_of(start(customer, session="nightly"))
    beat(session, at=AT + 15 * MINUTE - SECOND)
    expire_holds(at=AT + 15 * MINUTE)
    assert fresh(session).lease_until == AT + 16 * MINUTE - SECOND


@pytest.mark.parametrize("is_noted", [False, True])
def test_late_settlement_revives_no_lost_session(customer: Customer, is_noted: bool) -> None:
    """P9: the slot may be another's by then; the run is settled all the same."""
    run = start(customer, session="nightly")
    take(customer, "a", at=AT + 15 * MINUTE)
    take(customer, "b", at=AT + 15 * MINUTE)
    if is_noted:
        end_lost_sessions(at=AT + 15 * MINUTE)
    assert finish(customer, run, at=AT + 15 * MINUTE + SECOND).state == "settled"
    assert live(customer, AT + 15 * MINUTE + SECOND) == ["a", "b"]
    assert (session_of(run).open_runs, session_of(run).lease_until) == (0, AT + 15 * MINUTE)


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
def test_end_frees_the_slot_at_once(customer: Customer, end: str) -> None:
    """P9: also while a run is under way, which is settled; the name may begin anew."""
    run = start(customer, session="nightly")
    take(customer, "other")
    session = session_of(run)
    assert beat(session, end, at=AT + SECOND).ended_at == AT + SECOND
    assert (live(customer), count_live(customer.account.id, AT + SECOND)) == (["other"], 1)
    assert finish(customer, run, at=AT + 2 * SECOND).state == "settled"
    assert fresh(session).ended_at == AT + SECOND
    assert take(customer, "nightly", at=AT + 3 * SECOND).id != session.id


def test_ended_session_stays_ended(customer: Customer) -> None:
    """P9: the same end may be told again; nothing else is, and its id takes no run."""
    session = take(customer, "nightly")
    beat(session, "failed")
    assert beat(session, "failed", at=AT + SECOND).ended_at == AT
    for state in (None, "running", "completed"):
        with pytest.raises(Problem, match="session-ended"):
            beat(session, state)
    assert end_session(account_id=customer.account.id, session_id=session.id, at=AT).state == "failed"
    assert run_code(customer, f"ses_{session.id.hex}") == "session-ended"
    assert take_code(customer, f"ses_{session.id.hex}") == "session-ended"


@pytest.mark.parametrize("is_noted", [False, True])
def test_lost_session_is_over(customer: Customer, is_noted: bool) -> None:
    """P9: a sign of life that comes too late opens nothing, whether a worker has been there or not."""
    session = take(customer, "nightly")
    if is_noted:
        end_lost_sessions(at=AT + MINUTE)
    with pytest.raises(Problem, match="session-ended"):
        beat(session, at=AT + MINUTE)
    assert run_code(customer, f"ses_{session.id.hex}", at=AT + MINUTE) == "session-ended"
    run = start(customer, session="nightly", at=AT + MINUTE)
    assert (session_of(run).id != session.id, fresh(session).state) == (True, "expired")
    assert fresh(session).ended_at == AT + MINUTE


@pytest.mark.parametrize("state", ["expired", "stopped", "asleep"])
def test_states_that_a_holder_cannot_tell(customer: Customer, state: str) -> None:
    """P9: lost and stopped are the system's to say."""
    with pytest.raises(Problem, match="invalid-request"):
        beat(take(customer), state)


def test_paused_session_keeps_its_slot(customer: Customer) -> None:
    """P9: a slot is taken while the session is not over, whatever it does; a run sets it going."""
    session = take(customer, "nightly")
    beat(session, "paused", at=AT + 10 * SECOND)
    assert live(customer, AT + MINUTE) == ["nightly"]
    start(customer, session="nightly", at=AT + MINUTE)
    assert fresh(session).state == "running"


def test_late_news_shortens_nothing(customer: Customer) -> None:
    """P9: a sign of life that is older than the last one takes nothing back."""
    session = take(customer, "nightly", at=AT + MINUTE)
    beat(session, at=AT)
    take(customer, "nightly", at=AT)
    start(customer, session="nightly", at=AT)
    assert (fresh(session).heartbeat_at, fresh(session).lease_until) == (AT + MINUTE, AT + 15 * MINUTE)


def test_unlimited(customer: Customer) -> None:
    """P3, P9: null is no limit."""
    limit(customer, **{SLOTS: None})
    for _ in range(120):
        take(customer)
    assert count_live(customer.account.id, AT) == 120


def test_plan_change_counts_at_once() -> None:
    """P9, P10: the next plan's slots are there with it; a smaller plan refuses new sessions and ends none."""
    customer = make_customer("free")
    for name in "abc":
        take(customer, name)
    model = {"model": "gpt-4o-mini"}
    assert run_code(customer, "d", **model) == "quota-exceeded-concurrent-sessions"
    subscribe(account_id=customer.account.id, plan_slug="pro", at=AT + SECOND)
    assert run_code(customer, "d", at=AT + SECOND, **model) == "open"
    assert take_code(customer, "e", at=AT + SECOND) == "running"
    later = AT + 2 * SECOND
    subscribe(account_id=customer.account.id, plan_slug="free", at=later)
    assert take_code(customer, "f", at=later) == "quota-exceeded-concurrent-sessions"
    assert run_code(customer, "a", at=later, **model) == "open"
    assert live(customer, later) == ["a", "b", "c", "d", "e"]


def test_sessions_of_others_are_never_touched(customer: Customer) -> None:
    """P9, F3: the same name elsewhere is another session, and another's id is a name like any other."""
    second = make_account(customer.tenant, name="Second", is_default=False)
    room, paid = (
        make_workspace(customer.tenant, "room", account=customer.account),
        make_workspace(customer.tenant, "paid", account=second),
    )
    mine = take(customer, "nightly")
    beside = take(customer, "nightly", workspace_id=room.id)
    theirs = take(customer, "nightly", workspace_id=paid.id, account_id=second.id)
    stranger = make_customer(balance="1")
    assert len({mine.id, beside.id, theirs.id, take(stranger, "nightly").id}) == 4
    run = start(stranger, session=f"ses_{mine.id.hex}", at=AT + SECOND)
    assert session_of(run).account_id == stranger.account.id
    assert run_code(customer, f"ses_{theirs.id.hex}", at=AT + SECOND) == "quota-exceeded-concurrent-sessions"
    assert {fresh(session).heartbeat_at for session in (mine, beside, theirs)} == {AT}
    assert find_session(account_id=customer.account.id, session_id=theirs.id) is None
    with pytest.raises(Problem, match="not-found"):
        beat(Session(id=mine.id, account_id=stranger.account.id))


def test_names_that_look_like_an_id(customer: Customer) -> None:
    """P9: whoever calls a session by another system's id can do so for ever."""
    name = f"ses_{'0' * 32}"
    first = take(customer, name)
    again = take(customer, name, at=AT + MINUTE)
    assert (again.id != first.id, again.name, run_code(customer, name, at=AT + MINUTE)) == (True, name, "open")


def test_lost_sessions_are_written_down(customer: Customer) -> None:
    """P9: with the instant at which they lost their slot; live ones stay."""
    lost, alive = take(customer, "a"), take(customer, "b", at=AT + SECOND)
    assert end_lost_sessions(at=AT + MINUTE) == 1
    assert end_lost_sessions(at=AT + MINUTE) == 0
    assert (fresh(lost).state, fresh(lost).ended_at) == ("expired", AT + MINUTE)
    assert (fresh(alive).state, fresh(alive).ended_at) == ("running", None)


def test_pages(customer: Customer) -> None:
    """P9: the newest first, live or ended; what the clock ended is ended."""
    limit(customer, **{SLOTS: None})
    sessions = [take(customer, str(number)) for number in range(4)]
    beat(sessions[3], at=AT + SECOND)
    beat(sessions[1], "completed")

    def page(live: bool | None, **more: Any) -> list[tuple[str, str]]:
        options: dict[str, Any] = {"account_id": customer.account.id, "at": AT + MINUTE, "limit": 9} | more
        return [(one.name, one.state) for one in sessions_page(live=live, **options)]

    assert page(True) == [("3", "running")]
    assert page(False) == [("2", "expired"), ("1", "completed"), ("0", "expired")]
    assert page(None, limit=2) == [("3", "running"), ("2", "expired")]
    assert page(None, before=sessions[1].id) == [("0", "expired")]
    assert page(None, workspace_id=make_workspace(customer.tenant, "other").id) == []


def test_no_plan_no_session(customer: Customer) -> None:
    """P10: before an account has a plan there are no slots."""
    Subscription.objects.filter(account=customer.account).update(starts_at=AT + MINUTE)
    with pytest.raises(NoActivePlan):
        take(customer)
