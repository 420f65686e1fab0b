"""The sessions page: what is live, stopped and ended, and who may change it (F1, P9, M9)."""

import re
import uuid
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.core.ids import encode_id
from billing.runtime.models import Session
from billing.runtime.services.open_session import open_session
from billing.subscriptions.models import Subscription
from tenants.models import AuditEvent
from tenants.permissions import Role
from tests.console.make import HTMX, QueryCount, make_client, make_member, make_user, signed_in
from tests.make import AT, Customer, make_account, make_customer, make_workspace
from tests.runtime.slots import limit

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_names = count(1)


def make_session(customer: Customer, name: str = "", **facts: Any) -> Session:
    """A live session of the customer's workspace, unless the facts say otherwise."""
    usual = {
        "account_id": customer.account.id,
        "tenant_id": customer.tenant.id,
        "workspace_id": customer.workspace.id,
        "started_at": AT - MINUTE,
        "heartbeat_at": AT - 4 * SECOND,
        "lease_until": AT + MINUTE,
    }
    return Session.objects.create(name=name or f"s-{next(_names)}", **usual | facts)


def make_stopped(customer: Customer, name: str = "", **facts: Any) -> Session:
    usual: dict[str, Any] = {"state": "stopped", "stopped_for": "hand", "ended_at": AT - SECOND}
    return make_session(customer, name, **usual | facts)


def make_ended(customer: Customer, times: int) -> list[Session]:
    return [make_session(customer, state="completed", ended_at=AT - SECOND) for _ in range(times)]


def test_live_sessions_hold_slots(customer: Customer) -> None:
    """P9: who holds one, for whom, since when, how it does; the meter has a sentence."""
    session = make_session(
        customer,
        "call-1",
        office="Front",
        agent="Desk",
        end_user="Mo",
        runs=1200,
        open_runs=2,
        minute_start=AT,
        minute_runs=7,
    )
    response = make_client(customer.tenant).get("/sessions/")
    live = response.context["page"].live
    (row,) = live.rows
    assert (row.id, row.place, row.user, row.state_name) == (session.id, "Main › Front › Desk", "Mo", "Running")
    assert (row.runs, row.open_runs, row.minute_runs) == (1200, 2, 7)
    assert (live.slots.used, live.slots.limit, live.slots.percent) == (1, 100, 1)
    assert "1 of 100 slots used" in response.text
    assert "99 more sessions can start." in response.text
    assert "4 s ago" in response.text
    assert "2 under way" in response.text


def test_lost_session_frees_its_slot_at_once(customer: Customer, clock: time_machine.Traveller) -> None:
    """P9: the clock alone ends a lease, before any worker writes it down."""
    make_session(customer, "gone")
    clock.move_to(AT + MINUTE)
    page = make_client(customer.tenant).get("/sessions/").context["page"]
    assert (page.live.rows, page.live.slots.used) == ([], 0)
    (row,) = page.ended.rows
    assert (row.name, row.state_name, row.ended_at) == ("gone", "Lost", AT + MINUTE)


def test_full_slots_say_what_helps(catalogue: None, clock: time_machine.Traveller) -> None:
    """P9: every slot taken is told with the way out; a plan without a limit says that there is none."""
    free = make_customer("free")
    for _ in range(3):
        make_session(free)
    text = make_client(free.tenant).get("/sessions/").text
    assert "3 of 3 slots used" in text
    assert "Every slot is taken." in text
    assert 'data-level="over"' in text


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (
            {"stopped_for": "rate", "minute_runs": 1200},
            "It ran 1,200 times within a minute and asked for more. The plan's bound is 1,200 a minute.",
        ),
        (
            {"stopped_for": "repeats", "repeats": 1000},
            "It made the same run 1,000 times in a row and asked for it once more. The plan's bound is 1,000 in a row.",
        ),
        ({"stopped_for": "hand"}, "Stopped by hand."),
    ],
    ids=["rate", "repeats", "hand"],
)
def test_stopped_sessions_say_why(customer: Customer, facts: dict[str, Any], reason: str) -> None:
    """M9: with the figures and the plan's bound."""
    make_stopped(customer, "loop", **facts)
    (row,) = make_client(customer.tenant).get("/sessions/").context["page"].live.stopped
    assert row.reason == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [(3, "The bound agreed with you is 3 in a row."), (None, "As agreed with you there is no such bound any more.")],
)
def test_bound_of_staff_is_not_the_plans(customer: Customer, value: int | None, reason: str) -> None:
    """M9: a bound is told by who set it, as on the alerts page."""
    limit(customer, session_repeats_limit=value)
    make_stopped(customer, "loop", stopped_for="repeats", repeats=3)
    (row,) = make_client(customer.tenant).get("/sessions/").context["page"].live.stopped
    assert row.reason == f"It made the same run 3 times in a row and asked for it once more. {reason}"


def test_stopped_by_hand_names_members_and_no_staff(customer: Customer) -> None:
    """K10, F2: the audit log tells who it was; of staff only that it was staff, and who has left is not staff."""
    member, staff, former = make_member(customer.tenant), make_user(is_staff=True), make_user()
    for user in (member, staff, former):
        session = make_stopped(customer)
        AuditEvent.objects.create(
            tenant=customer.tenant,
            actor_user=user,
            action="session.stopped",
            target=encode_id("ses", session.id),
            at=AT - SECOND,
        )
    rows = signed_in(member).get("/sessions/").context["page"].live.stopped
    assert [row.reason for row in rows] == [
        "Stopped by somebody who has left.",
        "Stopped by the platform's staff.",
        f"Stopped by {member.email}.",
    ]


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        (
            {"minute_start": AT, "minute_runs": 960},
            "960 runs within a minute: it is stopped beyond 1,200",
        ),
        ({"minute_start": AT - MINUTE, "minute_runs": 1200}, ""),
        ({"repeats": 800}, "The same run 800 times in a row: it is stopped beyond 1,000"),
        ({"repeats": 799}, ""),
    ],
)
def test_session_near_a_bound_is_warned_of(customer: Customer, facts: dict[str, Any], warning: str) -> None:
    """M9: from 80 % of what the plan takes for normal."""
    make_session(customer, **facts)
    (row,) = make_client(customer.tenant).get("/sessions/").context["page"].live.rows
    assert row.warning == warning


def test_session_is_ended_and_allowed_again(customer: Customer) -> None:
    """P9, M9: asked first, with what happens; the name takes no runs until it is allowed again, and then it does."""
    user = make_member(customer.tenant)
    client, session = signed_in(user), make_session(customer, "call-1", open_runs=1)
    question = client.get(f"/sessions/{session.id}/end")
    assert "1 run under way still settles and what it uses is charged." in question.text
    assert client.post(f"/sessions/{session.id}/end").headers["Location"] == "/sessions/"
    page = client.get("/sessions/").context["page"]
    (stopped,) = page.live.stopped
    assert (page.live.rows, stopped.name, stopped.reason) == ([], "call-1", f"Stopped by {user.email}.")
    assert "Allow “call-1” again?" in client.get(f"/sessions/{session.id}/allow").text
    client.post(f"/sessions/{session.id}/allow")
    page = client.get("/sessions/").context["page"]
    assert (page.live.stopped, [row.state_name for row in page.ended.rows]) == ([], ["Stopped, allowed again"])
    opened, is_new = open_session(
        account_id=customer.account.id,
        tenant_id=customer.tenant.id,
        workspace_id=customer.workspace.id,
        name="call-1",
        at=AT,
    )
    assert (opened.state, is_new) == ("running", True)


def test_question_is_a_page_or_a_dialog(customer: Customer) -> None:
    """F1: the same fragment."""
    client, session = make_client(customer.tenant), make_session(customer)
    page, dialog = (client.get(f"/sessions/{session.id}/end", headers=headers) for headers in ({}, HTMX))
    assert ("<html" in page.text, "<html" in dialog.text) == (True, False)
    assert 'popovertargetaction="hide"' in dialog.text
    assert 'href="/sessions/"' in page.text


def test_what_has_happened_meanwhile_is_told(customer: Customer) -> None:
    """F1: two members press the same button: the second is led back, and nothing changes."""
    client, session = make_client(customer.tenant), make_session(customer, "call-1")
    assert client.post(f"/sessions/{session.id}/allow").headers["Location"] == "/sessions/"
    assert "“call-1” is not stopped." in client.get("/sessions/").text
    client.post(f"/sessions/{session.id}/end")
    assert client.get(f"/sessions/{session.id}/end", headers=HTMX).headers["HX-Redirect"] == "/sessions/"
    assert "“call-1” has ended already." in client.get("/sessions/").text
    assert AuditEvent.objects.filter(action="session.stopped").count() == 1


@pytest.mark.parametrize("role", [Role.BILLING, Role.DEVELOPER, Role.VIEWER])
def test_others_see_sessions_and_end_none(customer: Customer, role: Role) -> None:
    """F4: without tenant.manage there is no button, and the form is refused."""
    session, stopped = make_session(customer, "call-1"), make_stopped(customer)
    client = make_client(customer.tenant, role)
    page = client.get("/sessions/")
    assert "call-1" in page.text
    assert re.search(r"/sessions/[0-9a-f-]+/(end|allow)", page.text) is None
    for path in (f"/sessions/{session.id}/end", f"/sessions/{stopped.id}/allow"):
        assert client.get(path).status_code == client.post(path).status_code == 403
    session.refresh_from_db()
    assert session.state == "running"


def test_sessions_of_others_are_not_found(customer: Customer) -> None:
    """F4: of another tenant, and of another account of the same one."""
    other = make_customer("free")
    second = make_account(customer.tenant, "pro", name="Second", is_default=False)
    place = make_workspace(customer.tenant, "second", account=second)
    client = make_client(customer.tenant)
    for session in (make_session(other), make_session(customer, account_id=second.id, workspace_id=place.id)):
        for path in (f"/sessions/{session.id}/end", f"/sessions/{session.id}/allow"):
            assert client.get(path).status_code == client.post(path).status_code == 404
    assert client.post(f"/sessions/{uuid.uuid4()}/end").status_code == 404
    assert client.get("/sessions/").context["page"].is_new


def test_first_session_is_explained(customer: Customer) -> None:
    """F1: what a session is, and the call that opens one."""
    text = make_client(customer.tenant).get("/sessions/").text
    assert "POST http://testserver/v1/sessions" in text
    assert "&quot;workspace&quot;: &quot;main&quot;" in text or '"workspace": "main"' in text


def test_live_part_refreshes_itself_until_paused(customer: Customer) -> None:
    """F1: the same fragment for page and swap; paused it asks for nothing."""
    make_session(customer)
    client = make_client(customer.tenant)
    part, page = client.get("/sessions/", headers=HTMX), client.get("/sessions/")
    assert ("<html" in part.text, 'hx-trigger="every 5s"' in part.text) == (False, True)
    assert part.text.strip() in page.text
    for headers in ({}, HTMX):
        paused = client.get("/sessions/?refresh=off", headers=headers).text
        assert ("hx-trigger" in paused, "Resume" in paused) == (False, True)


def test_ended_sessions_continue_by_a_cursor(customer: Customer) -> None:
    """F1: twenty at a time, the latest begun first; as rows alone for a swap. A foreign text is no cursor: 404."""
    made = make_ended(customer, 23)
    client = make_client(customer.tenant)
    first = client.get("/sessions/").context["page"].ended
    rest = client.get(first.next_url, headers=HTMX)
    rows = [*first.rows, *rest.context["page"].rows]
    assert [row.id for row in rows] == [session.id for session in reversed(made)]
    assert (len(first.rows), rest.context["page"].next_url, "<html" in rest.text) == (20, "", False)
    assert client.get(first.next_url).context["page"].ended.rows == rest.context["page"].rows
    for cursor in ("x", "ses_1", "%00", "acc_" + "0" * 32):
        assert client.get(f"/sessions/?before={cursor}").status_code == 404


def test_ended_plan_has_a_page(customer: Customer) -> None:
    """F1: no plan is a state, not an error."""
    session = make_session(customer)
    Subscription.objects.filter(account=customer.account).delete()
    client = make_client(customer.tenant)
    for path in ("/sessions/", f"/sessions/{session.id}/end"):
        assert "No active plan" in client.get(path).text


def test_names_are_text(customer: Customer) -> None:
    """F4: whatever an agent calls its session."""
    session = make_session(customer, "<script>alert(1)</script>", end_user="<b>", agent="<i>")
    client = make_client(customer.tenant)
    for path in ("/sessions/", f"/sessions/{session.id}/end"):
        assert "<script>alert" not in client.get(path).text


def test_forms_need_the_token_of_the_page(customer: Customer) -> None:
    """F4: no other site ends sessions with a member's cookies."""
    session = make_session(customer)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_member(customer.tenant))
    assert strict.post(f"/sessions/{session.id}/end").status_code == 403


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """U4: session, user, two for accounts, five for terms, live, stopped, names, who stopped, ended, names, frame."""
    client = make_client(customer.tenant)
    for number in (1, 30):
        for _ in range(number):
            make_session(customer)
            make_stopped(customer)
        make_ended(customer, number)
        with django_assert_num_queries(16):
            client.get("/sessions/")
        with django_assert_num_queries(14):
            client.get("/sessions/", headers=HTMX)
