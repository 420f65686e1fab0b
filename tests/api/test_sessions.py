"""/v1/sessions."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from billing.runtime.models import Session
from billing.runtime.services.stop_session import stop_session
from tenants.permissions import Permission
from tenants.services.record_audit import SYSTEM
from tests.api.calls import call, field_codes, get, refusal
from tests.make import AT, Customer, make_account, make_api_key, make_customer, make_workspace
from tests.money_make import in_threads
from tests.runtime.slots import SLOTS, limit

PATH = "/v1/sessions"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def customer(catalogue: None) -> Customer:
    """One that may have three sessions at once."""
    return make_customer("free")


def opened(customer: Customer, session: str = "", **body: Any) -> Any:
    """The answer to a POST; `headers` are sent with it."""
    headers = body.pop("headers", {})
    return call("POST", PATH, customer.key, {"workspace": "main", "session": session} | body, **headers)


def at(seconds: int) -> time_machine.travel:
    return time_machine.travel(AT + timedelta(seconds=seconds), tick=False)


def test_open_answers_the_session(customer: Customer) -> None:
    """P9: what it is called, what it does, and until when it keeps its slot."""
    response = opened(customer, "nightly", office="sales", agent="ada", user="bob", state="pending")
    assert response.status_code == 201
    assert response.json() == {
        "id": f"ses_{Session.objects.get().id.hex}",
        "session": "nightly",
        "workspace": "main",
        "state": "pending",
        "office": "sales",
        "agent": "ada",
        "user": "bob",
        "started_at": "2026-03-10T12:00:00Z",
        "heartbeat_at": "2026-03-10T12:00:00Z",
        "expires_at": "2026-03-10T12:01:00Z",
        "ended_at": None,
        "runs": 0,
        "stopped_for": None,
    }


def test_name_makes_a_call_safe_to_send_again(customer: Customer) -> None:
    """P9, F3: 200 with the session that is live, renewed."""
    first = opened(customer, "nightly").json()
    with at(30):
        again = opened(customer, "nightly", agent="ada")
    assert again.status_code == 200
    renewed = {"agent": "ada", "heartbeat_at": "2026-03-10T12:00:30Z", "expires_at": "2026-03-10T12:01:30Z"}
    assert again.json() == first | renewed
    assert Session.objects.count() == 1


def test_key_makes_a_call_without_a_name_safe(customer: Customer) -> None:
    """F3: answered as the first time, whatever has become of the session; another body is a conflict."""
    key = {"Idempotency-Key": "k1"}
    first = opened(customer, headers=key)
    assert (first.status_code, first.json()["session"].startswith("key-")) == (201, True)
    call("DELETE", f"{PATH}/{first.json()['id']}", customer.key)
    again = opened(customer, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert refusal(opened(customer, agent="bob", headers=key)) == (409, "idempotency-conflict")
    assert refusal(opened(make_stranger(), headers={"Idempotency-Key": "a b"})) == (400, "invalid-request")
    assert opened(make_stranger(), headers=key).json()["id"] != first.json()["id"]
    assert Session.objects.count() == 2


def make_stranger() -> Customer:
    return make_customer("free")


@pytest.mark.usefixtures("own_database")
def test_call_without_a_name_that_is_sent_twice_at_once() -> None:
    """F3, P9: under one key sixteen calls take one slot."""
    customer = make_customer("free")
    headers = {"Idempotency-Key": "k1"}
    answers = in_threads(lambda _: opened(customer, headers=headers), 16)
    assert ({answer.status_code for answer in answers}, Session.objects.count()) == ({201}, 1)
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_calls_without_name_or_key_are_sessions_each(customer: Customer) -> None:
    """P9: the name of one is its id; under a key it is made from the key, as the document says."""
    answers = [opened(customer).json() for _ in range(2)]
    assert [answer["session"] for answer in answers] == [answer["id"] for answer in answers]
    assert len({answer["id"] for answer in answers}) == 2
    keyed = opened(customer, headers={"Idempotency-Key": "k1"}).json()
    assert keyed["session"].startswith("key-")
    told = str(get("/v1/openapi.json").json()["components"]["schemas"]["NewSession"]["description"])
    assert "under an `Idempotency-Key` a name that is made from the key" in told


def test_no_slot_is_free(customer: Customer) -> None:
    """P9: 429 with the limit, where it comes from, what helps, and when to try again."""
    for name in "abc":
        opened(customer, name)
    with at(15):
        response = opened(customer, "d")
    assert refusal(response) == (429, "quota-exceeded-concurrent-sessions")
    assert response.headers["Retry-After"] == "45"
    body = response.json()
    assert (body["detail"], body["limit_source"]) == ("Sessions that are live: 3; 3 may be at once.", "plan:free")
    assert "choose a plan" in body["remedy"]
    run = {"idempotency_key": "r", "workspace": "main", "input_tokens": 1, "max_output_tokens": 1}
    model = {"provider": "openai", "model": "gpt-4o-mini"}
    refused = call("POST", "/v1/runtime/authorizations", customer.key, run | model | {"session": "d"})
    assert refusal(refused) == (429, "quota-exceeded-concurrent-sessions")
    assert call("POST", "/v1/runtime/authorizations", customer.key, run | model | {"session": "a"}).status_code == 201


def test_sign_of_life_and_states(customer: Customer) -> None:
    """P9: an empty object keeps the slot, a state changes it, an end frees it."""
    path = f"{PATH}/{opened(customer, 'nightly').json()['id']}"
    with at(50):
        kept = call("PATCH", path, customer.key, {}).json()
    assert (kept["state"], kept["expires_at"]) == ("running", "2026-03-10T12:01:50Z")
    assert call("PATCH", path, customer.key, {"state": "paused"}).json()["state"] == "paused"
    with at(70):
        ended = call("PATCH", path, customer.key, {"state": "completed"})
        assert (ended.status_code, ended.json()["state"], ended.json()["expires_at"]) == (200, "completed", None)
        assert call("PATCH", path, customer.key, {"state": "completed"}).json() == ended.json()
        assert refusal(call("PATCH", path, customer.key, {})) == (409, "session-ended")
        assert get(f"{PATH}/quota", customer.key).json()["used"] == 0
    assert get(path, customer.key).json() == ended.json()


def test_end_and_again(customer: Customer) -> None:
    """P9: 204, and 204 again; also for one that was lost or stopped, which stays what it is."""
    ended, lost, stopped = (opened(customer, name).json()["id"] for name in "abc")
    for _ in range(2):
        response = call("DELETE", f"{PATH}/{ended}", customer.key)
        assert (response.status_code, response.content) == (204, b"")
    session = Session.objects.get(name="c")
    stop_session(account_id=session.account_id, session_id=session.id, at=AT, actor=SYSTEM)
    with at(60):
        assert call("DELETE", f"{PATH}/{lost}", customer.key).status_code == 204
        assert call("DELETE", f"{PATH}/{stopped}", customer.key).status_code == 204
        states = [get(f"{PATH}/{name}", customer.key).json()["state"] for name in (ended, lost, stopped)]
    assert states == ["cancelled", "expired", "stopped"]


def test_stopped_session(customer: Customer) -> None:
    """M9: says why; neither its name nor its id takes anything."""
    public = opened(customer, "loop").json()["id"]
    session = Session.objects.get()
    stop_session(account_id=session.account_id, session_id=session.id, at=AT, actor=SYSTEM)
    assert get(f"{PATH}/{public}", customer.key).json()["stopped_for"] == "hand"
    for answer in (
        opened(customer, "loop"),
        opened(customer, public),
        call("PATCH", f"{PATH}/{public}", customer.key, {}),
    ):
        assert refusal(answer) == (409, "session-stopped")


def test_lost_session_is_shown_as_that(customer: Customer) -> None:
    """P9: from the instant on at which its slot is free, without a worker."""
    path = f"{PATH}/{opened(customer, 'nightly').json()['id']}"
    with at(60):
        lost = get(path, customer.key).json()
        assert (lost["state"], lost["ended_at"], lost["expires_at"]) == ("expired", "2026-03-10T12:01:00Z", None)
        assert refusal(call("PATCH", path, customer.key, {})) == (409, "session-ended")
        assert opened(customer, "nightly").status_code == 201


def test_quota(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P9: the account's, over all its workspaces."""
    make_workspace(customer.tenant, "second", account=customer.account)
    opened(customer, "a")
    opened(customer, "a", workspace="second")
    with django_assert_num_queries(8):
        answer = get(f"{PATH}/quota", customer.key).json()
    assert answer == {"limit": 3, "used": 2, "remaining": 1, "heartbeat_timeout_seconds": 60}
    limit(customer, **{SLOTS: 1})
    assert get(f"{PATH}/quota?workspace=second", customer.key).json()["remaining"] == 0
    limit(customer, **{SLOTS: None})
    assert get(f"{PATH}/quota", customer.key).json() == answer | {"limit": None, "remaining": None}


def test_list(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P9, F3: the newest first, page by page; live, ended or both, of one workspace or all."""
    make_workspace(customer.tenant, "second", account=customer.account)
    for name in "abc":
        opened(customer, name, workspace="second" if name == "b" else "main")
    call("DELETE", f"{PATH}/ses_{Session.objects.get(name='a').id.hex}", customer.key)

    def listed(query: str) -> list[str]:
        return [session["session"] for session in get(f"{PATH}?{query}", customer.key).json()["results"]]

    with django_assert_num_queries(4):
        first = get(f"{PATH}?limit=2", customer.key).json()
    assert [(session["session"], session["workspace"]) for session in first["results"]] == [
        ("c", "main"),
        ("b", "second"),
    ]
    assert listed(f"limit=2&cursor={first['next']}") == ["a"]
    assert (listed("state=live"), listed("state=ended")) == (["c", "b"], ["a"])
    assert (listed("workspace=second"), listed("workspace=main&state=live")) == (["b"], ["c"])
    with at(60):
        assert (listed("state=live"), listed("state=ended")) == ([], ["c", "b", "a"])


def test_key_of_one_workspace(customer: Customer) -> None:
    """F3: sees and changes the sessions of its workspace alone, though another's take the same account's slots."""
    room = make_workspace(customer.tenant, "second", account=customer.account)
    mine, other = opened(customer, "a", workspace="second").json(), opened(customer, "b").json()
    bound = make_api_key(customer.tenant, Permission.RUNTIME, workspace=room)
    assert [session["id"] for session in get(PATH, bound).json()["results"]] == [mine["id"]]
    assert get(f"{PATH}/{mine['id']}", bound).status_code == 200
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert refusal(call(method, f"{PATH}/{other['id']}", bound, body)) == (404, "not-found")
    assert refusal(call("POST", PATH, bound, {"workspace": "main"})) == (404, "not-found")
    assert get(f"{PATH}/quota", bound).json()["used"] == 2


def test_session_of_another_account_of_the_tenant(customer: Customer) -> None:
    """P11: found by its id; the list is of one account."""
    second = make_account(customer.tenant, "free", name="Second", is_default=False)
    make_workspace(customer.tenant, "second", account=second)
    there = opened(customer, "a", workspace="second").json()
    assert call("PATCH", f"{PATH}/{there['id']}", customer.key, {}).status_code == 200
    assert get(PATH, customer.key).json()["results"] == []
    assert [one["id"] for one in get(f"{PATH}?workspace=second", customer.key).json()["results"]] == [there["id"]]


def test_open_queries(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Key, workspace, account, lock, five for the terms, the check, the insert, and the transaction around them."""
    with django_assert_num_queries(13):
        assert opened(customer, "nightly").status_code == 201
    path = f"{PATH}/{opened(customer, 'nightly').json()['id']}"
    with django_assert_num_queries(8):
        assert call("PATCH", path, customer.key, {}).status_code == 200


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"workspace": None}, {"workspace": "null"}),
        ({"workspace": ""}, {"workspace": "blank"}),
        ({"session": 5}, {"session": "invalid"}),
        ({"session": None}, {"session": "null"}),
        ({"session": "x" * 101}, {"session": "max-length"}),
        ({"agent": "a\x00"}, {"agent": "null-characters-not-allowed"}),
        ({"user": "\ud800"}, {"user": "surrogate-characters-not-allowed"}),
        ({"state": "completed"}, {"state": "invalid-choice"}),
        ({"state": []}, {"state": "invalid-choice"}),
        ({"name": "x"}, {"name": "unknown-field"}),
    ],
)
def test_bad_bodies(customer: Customer, body: dict[str, Any], errors: dict[str, str]) -> None:
    """F3: each wrong field is named with a code, and nothing is written."""
    assert field_codes(call("POST", PATH, customer.key, {"workspace": "main"} | body)) == errors
    assert not Session.objects.exists()


def test_bad_changes(customer: Customer) -> None:
    """F3: a session is lost or stopped by the system alone."""
    path = f"{PATH}/{opened(customer, 'nightly').json()['id']}"
    for state in ("expired", "stopped", "", None, 1):
        code = "null" if state is None else "invalid-choice"
        assert field_codes(call("PATCH", path, customer.key, {"state": state})) == {"state": code}
    assert field_codes(call("PATCH", path, customer.key, {"agent": "x"})) == {"agent": "unknown-field"}
    assert field_codes(call("DELETE", f"{path}?force=1", customer.key)) == {"force": "unknown-parameter"}
    assert field_codes(get(f"{PATH}?state=stopped", customer.key)) == {"state": "invalid-choice"}


def test_names_are_kept_as_they_are_sent(customer: Customer) -> None:
    """P9: a run names the session by the very same text."""
    assert opened(customer, " nightly ").json()["session"] == " nightly "
    assert opened(customer, "nightly").status_code == 201
