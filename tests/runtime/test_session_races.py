"""Slots and sessions under calls from many connections at once (P9, M9)."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.problems import Problem
from billing.notifications.models import Notice
from billing.runtime.models import Authorization, Session
from billing.runtime.services.end_lost_sessions import end_lost_sessions
from billing.runtime.services.end_session import end_session
from billing.runtime.services.expire_holds import expire_holds
from billing.runtime.services.tell_of_stopped_sessions import tell_of_stopped_sessions
from billing.runtime.session_queries import count_live
from billing.subscriptions.services.subscribe import subscribe
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, finish, in_threads, start
from tests.runtime.slots import RATE, REPEATS, SLOTS, beat, limit, live, run_code, session_of, take, take_code

pytestmark = pytest.mark.usefixtures("own_database")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FULL = "quota-exceeded-concurrent-sessions"


def make_limited(**values: int | None) -> Customer:
    customer = make_customer(balance="99")
    limit(customer, **values)
    return customer


def test_sessions_pass_no_limit_together() -> None:
    """P9: seven slots admit seven of sixty that ask at once, by a call or by a run."""
    customer = make_limited(**{SLOTS: 7})
    asking: list[Callable[[Customer, str], str]] = [run_code, take_code]
    answers = in_threads(lambda number: asking[number % 2](customer, f"s{number}"), 60)
    assert sum(answer in {"open", "running"} for answer in answers) == 7
    assert answers.count(FULL) == 53
    assert count_live(customer.account.id, AT) == 7
    assert Authorization.objects.count() == answers.count("open")


def test_slots_that_are_freed_and_taken_at_once() -> None:
    """P9: whoever looks, whenever, never finds more sessions than slots, though they come and go."""
    customer = make_limited(**{SLOTS: 4})
    most = []

    def work(number: int) -> None:
        with suppress(Problem):
            if number % 3 == 0:
                session = take(customer, f"s{number}")
                most.append(count_live(customer.account.id, AT))
                end_session(account_id=customer.account.id, session_id=session.id, at=AT)
            elif number % 3 == 1:
                run = start(customer, session=f"s{number}")
                beat(session_of(run), "completed")
                finish(customer, run)
            else:
                most.append(count_live(customer.account.id, AT))

    in_threads(work, 120)
    assert max(most) <= 4
    assert live(customer) == []


def test_one_name_is_one_session() -> None:
    """P9: sixteen calls and runs of one name at once share a slot."""
    customer = make_limited(**{SLOTS: 1, REPEATS: None})
    asking: list[Callable[[Customer, str], str]] = [run_code, take_code]
    answers = in_threads(lambda number: asking[number % 2](customer, "nightly"), 32)
    assert set(answers) == {"open", "running"}
    session = Session.objects.get()
    assert (session.runs, session.open_runs) == (16, 16)


def test_lost_slots_are_taken_anew_together() -> None:
    """P9: at the end of the time-out as many get in as may, with workers about or without."""
    customer = make_limited(**{SLOTS: 5})
    for number in range(5):
        take(customer, f"old{number}")

    def work(number: int) -> str:
        if number % 4 == 0:
            end_lost_sessions(at=AT + MINUTE)
            return ""
        return take_code(customer, f"new{number}", at=AT + MINUTE)

    answers = Counter(in_threads(work, 60))
    assert (answers["running"], answers[FULL]) == (5, 40)
    assert count_live(customer.account.id, AT + MINUTE) == 5
    end_lost_sessions(at=AT + MINUTE)
    assert Session.objects.filter(state="expired", ended_at=AT + MINUTE).count() == 5


def test_sweep_and_runs_race_for_lost_sessions() -> None:
    """P9: a session that a run begins anew while a worker ends the lost one is there once, and live."""
    customers = [make_limited(**{SLOTS: 3, REPEATS: None}) for _ in range(4)]
    for customer in customers:
        take(customer, "nightly")

    def work(number: int) -> str:
        if number % 2:
            end_lost_sessions(at=AT + MINUTE)
            return "open"
        return run_code(customers[number // 2 % 4], "nightly", at=AT + MINUTE)

    assert set(in_threads(work, 96)) == {"open"}
    for customer in customers:
        states = Session.objects.filter(account_id=customer.account.id).order_by("id").values_list("state", "runs")
        assert list(states) == [("expired", 0), ("running", 12)]


def test_runs_closed_in_every_way_at_once() -> None:
    """P9: settled, voided or expired, each run leaves its session once; a lost session stays lost."""
    customer = make_limited(**{REPEATS: None})
    runs = [start(customer, session=f"s{number % 3}") for number in range(30)]
    later = AT + 20 * MINUTE

    def work(number: int) -> None:
        run = runs[number % 30]
        with suppress(Problem):
            if number % 4 == 0:
                expire_holds(at=later)
            elif number % 4 == 1:
                abandon(customer, run, at=later)
            elif number % 4 == 2:
                beat(session_of(run), at=later)
            else:
                finish(customer, run, at=later)

    in_threads(work, 120)
    assert not Session.objects.exclude(open_runs=0).exists()
    assert not Session.objects.filter(lease_until__gt=AT + 15 * MINUTE).exists()


@pytest.mark.parametrize(
    ("bound", "stopped_for"),
    [({RATE: 10, REPEATS: None}, "rate"), ({RATE: None, REPEATS: 10}, "repeats")],
    ids=["rate", "repeats"],
)
def test_runaway_stops_at_the_bound(bound: dict[str, int | None], stopped_for: str) -> None:
    """M9: of sixty runs at once ten start, not one more; other sessions of the account, and other accounts, go on."""
    customer, other = make_limited(**bound), make_limited(**bound)

    def work(number: int) -> tuple[str, str]:
        match number % 8:
            case 0:
                return "another session", run_code(customer, f"s{number}")
            case 4:
                return "another account", run_code(other, "loop")
            case _:
                return "loop", run_code(customer, "loop")

    assert Counter(in_threads(work, 80)) == {
        ("loop", "open"): 10,
        ("loop", "session-stopped"): 50,
        ("another session", "open"): 10,
        ("another account", "open"): 10,
    }
    loop = Session.objects.get(state="stopped")
    assert (loop.account_id, loop.stopped_for, loop.runs, loop.open_runs) == (
        customer.account.id, stopped_for, 10, 10,
    )  # fmt: skip


def test_stopped_sessions_are_told_of_once() -> None:
    """M9: eight workers at once write one e-mail a session."""
    customers = [make_limited(**{REPEATS: 1}) for _ in range(3)]
    for customer in customers:
        for number in range(10):
            start(customer, session=f"s{number}")
            assert run_code(customer, f"s{number}") == "session-stopped"
    assert sum(in_threads(lambda _: tell_of_stopped_sessions(at=AT), 8, threads=8)) == 30
    assert Notice.objects.filter(kind="session-stopped").count() == 30


def test_worker_that_dies_while_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """M9: what was not committed is told by the next one, and nothing twice."""
    customer = make_limited(**{REPEATS: 1})
    for number in range(3):
        start(customer, session=f"s{number}")
        run_code(customer, f"s{number}")

    def die(*_ignored: object, **_too: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("django.db.models.query.QuerySet.update", die)
        with pytest.raises(KeyboardInterrupt):
            tell_of_stopped_sessions(at=AT)
    assert not Notice.objects.exists()
    assert tell_of_stopped_sessions(at=AT, limit=2) == 2
    assert [tell_of_stopped_sessions(at=AT) for _ in range(2)] == [1, 0]
    assert Notice.objects.count() == 3


def test_upgrade_under_load() -> None:
    """P9, P10: with the next plan come its slots, and before it none of them."""
    customer = make_customer("free")
    changed = AT + SECOND

    def work(number: int) -> str:
        if number == 30:
            subscribe(account_id=customer.account.id, plan_slug="pro", at=changed)
            return "changed"
        return run_code(customer, f"s{number}", model="gpt-4o-mini", at=changed if number > 30 else AT)

    in_threads(work, 40)
    before = Session.objects.filter(started_at=AT).count()
    assert (before <= 3, count_live(customer.account.id, changed)) == (True, Session.objects.count())
    assert [run_code(customer, f"t{number}", model="gpt-4o-mini", at=changed) for number in range(3)] == ["open"] * 3


def test_session_costs_no_round_trip() -> None:
    """P9: with everything remembered, a run is decided in one statement, in a session as without."""
    customer = make_customer(balance="9")
    start(customer)
    for session in ("", "nightly", "nightly"):
        with CaptureQueriesContext(connection) as queries:
            run = start(customer, session=session)
        assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        finish(customer, run)
    assert len(queries) == 2
    session_row = session_of(run)
    with CaptureQueriesContext(connection) as queries:
        beat(session_row)
    assert len(queries) == 5  # lock, read, write, in a transaction
