"""/v1/sessions: slots of the plan's concurrency, taken, kept and freed by whoever runs agents (P9)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.idempotency import IDEMPOTENCY_KEY, answered_once, idempotency_key
from billing.api.lookups import billed_by, id_named, nothing_here, payer_of, workspace_named, workspace_slugs
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery, AccountQuery, Body, Query, Text
from billing.api.vault_fields import OpenText
from billing.api.views.base import ApiView
from billing.core.ids import encode_id
from billing.runtime.models import Session
from billing.runtime.services.beat_session import beat_session
from billing.runtime.services.end_session import end_session
from billing.runtime.services.open_session import open_session
from billing.runtime.session_queries import count_live, session_of_tenant, sessions_page
from billing.runtime.slots import SLOTS, bound, lease_seconds
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of
from tenants.models import Workspace
from tenants.permissions import Permission

RUN_SESSIONS = (Permission.USAGE_WRITE, Permission.RUNTIME, Permission.TENANT_MANAGE)
SEE_SESSIONS = (*RUN_SESSIONS, Permission.BILLING_VIEW, Permission.BILLING_MANAGE)


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session: `pending`, `running` or `paused` while it holds a slot, until `expires_at` unless it is renewed.

    It ends as `completed`, `failed` or `cancelled`, `expired` where no sign of life came, or `stopped`: `stopped_for`
    is then `rate`, `repeats` or `hand`, and `session` names no new run until a member allows it. `runs` were authorized
    in it.
    """

    id: str
    session: str
    workspace: str
    state: str
    office: str
    agent: str
    user: str
    started_at: datetime
    heartbeat_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    runs: int
    stopped_for: str | None


class SessionsAnswer(msgspec.Struct, frozen=True):
    """A page of an account's sessions, the newest first."""

    results: list[SessionAnswer]
    next: str | None


class SessionQuotaAnswer(msgspec.Struct, frozen=True):
    """Slots of the account; `limit` and `remaining` are `null` where the plan sets no limit.

    A session without a sign of life for `heartbeat_timeout_seconds` loses its slot, unless a run of it is under way.
    """

    limit: int | None
    used: int
    remaining: int | None
    heartbeat_timeout_seconds: int


class _Name(OpenText):
    """What a run or an event may be attributed to, kept as it is sent."""

    def __init__(self) -> None:
        super().__init__(max_length=100, default="", allow_blank=True, trim_whitespace=False)


class NewSession(Body):
    """A session to take a slot for. `session` is what runs and usage events call it.

    Without one its id is its name, or under an `Idempotency-Key` a name that is made from the key; the answer has it.
    """

    workspace = Text(max_length=100, help_text="Slug or id of a workspace.")
    session = _Name()
    office = _Name()
    agent = _Name()
    user = _Name()
    state = serializers.ChoiceField([str(state) for state in Session.LIVE], default=str(Session.State.RUNNING))


class SessionChange(Body):
    """A sign of life, with a new state if there is one."""

    state = serializers.ChoiceField([str(state) for state in (*Session.LIVE, *Session.ENDS)], required=False)


class SessionsQuery(AccountPageQuery):
    """Which sessions, and which page of them."""

    state = serializers.ChoiceField(["live", "ended"], required=False, help_text="Both where it is left out.")


class Sessions(ApiView):
    """/v1/sessions"""

    scopes = {"GET": SEE_SESSIONS, "POST": RUN_SESSIONS}

    @describe("list_sessions", tag="Sessions", summary="Sessions", answer=SessionsAnswer, query=SessionsQuery)
    def get(self, request: Request) -> Response:
        """Of one account: the workspace's, the key's, or the tenant's default account."""
        query, at = SessionsQuery.read(request), now()
        billed = billed_by(caller_of(request), query.get("workspace"))
        sessions = sessions_page(
            account_id=billed.account.id,
            at=at,
            live={"live": True, "ended": False}.get(query.get("state", "")),
            workspace_id=billed.workspace_id,
            limit=query["limit"] + 1,
            before=id_of(query),
        )
        slugs = workspace_slugs(session.workspace_id for session in sessions)
        page = paged(sessions, query["limit"], lambda one: _answer(one, slugs), lambda one: encode_cursor(one.id))
        return Response(SessionsAnswer(*page))

    @describe(
        "open_session",
        tag="Sessions",
        summary="Take a slot for a session",
        answer=SessionAnswer,
        status=201,
        also=200,
        body=NewSession,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """200 with the live session of that name, renewed, where there is one. So a name makes the call safe to send
        again; a call without one is safe with an `Idempotency-Key`.

        429 `quota-exceeded-concurrent-sessions` where no slot is free, 409 `session-stopped` for the name of a stopped
        session.
        """
        Query.read(request)
        body, key, at = NewSession.read(request), idempotency_key(request), now()
        room = workspace_named(caller_of(request), body["workspace"])
        account = payer_of(room.id)
        if body["session"] or not key:
            session, is_new = _open(account, room, body, body["session"], at)
            return Response(_answer(session, {room.id: room.slug}), status=201 if is_new else 200)

        def take_slot() -> SessionAnswer:
            session, _ = _open(account, room, body, _name_for(key), at)
            return _answer(session, {room.id: room.slug})

        answer = answered_once(account_id=account.id, operation="open-session", key=key, body=body, do=take_slot, at=at)
        return Response(answer, status=201)


class SessionQuota(ApiView):
    """GET /v1/sessions/quota"""

    scopes = {"GET": SEE_SESSIONS}

    @describe("get_session_quota", tag="Sessions", summary="Free slots", answer=SessionQuotaAnswer, query=AccountQuery)
    def get(self, request: Request) -> Response:
        """The account's, over all its workspaces."""
        query, at = AccountQuery.read(request), now()
        account = billed_by(caller_of(request), query.get("workspace")).account
        limit, used = bound(terms_of(account.id, at), SLOTS), count_live(account.id, at)
        remaining = None if limit is None else max(0, limit - used)
        return Response(SessionQuotaAnswer(limit, used, remaining, lease_seconds()))


class SessionDetail(ApiView):
    """/v1/sessions/{session_id}"""

    scopes = {"GET": SEE_SESSIONS, "PATCH": RUN_SESSIONS, "DELETE": RUN_SESSIONS}

    @describe("get_session", tag="Sessions", summary="A session", answer=SessionAnswer)
    def get(self, request: Request, session_id: str) -> Response:
        """Of any account that the key can see."""
        Query.read(request)
        return Response(_answer_alone(_seen(request, session_id, now())))

    @describe("keep_session", tag="Sessions", summary="Give a sign of life", answer=SessionAnswer, body=SessionChange)
    def patch(self, request: Request, session_id: str) -> Response:
        """With an empty object the slot is kept; an end frees it at once.

        409 `session-ended` or `session-stopped` where it is over; its own end may be told again.
        """
        Query.read(request)
        body, at = SessionChange.read(request), now()
        seen = _seen(request, session_id, at)
        changed = beat_session(session_id=seen.id, account_id=seen.account_id, state=body.get("state"), at=at)
        return Response(_answer_alone(changed))

    @describe("end_session", tag="Sessions", summary="Free a session's slot", answer=None)
    def delete(self, request: Request, session_id: str) -> Response:
        """Runs under way are still settled. One that has ended stays as it is."""
        Query.read(request)
        at = now()
        seen = _seen(request, session_id, at)
        end_session(account_id=seen.account_id, session_id=seen.id, at=at)
        return Response(status=204)


def _open(
    account: BillingAccount, room: Workspace, body: Mapping[str, Any], name: str, at: datetime
) -> tuple[Session, bool]:
    return open_session(
        account_id=account.id,
        tenant_id=account.tenant_id,
        workspace_id=room.id,
        name=name,
        office=body["office"],
        agent=body["agent"],
        user=body["user"],
        state=body["state"],
        at=at,
    )


def _name_for(key: str) -> str:
    """The name of a session that is asked for under a key alone: the same for the call sent again, however soon."""
    return f"key-{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def _seen(request: Request, session_id: str, at: datetime) -> Session:
    caller = caller_of(request)
    session = session_of_tenant(
        tenant_id=caller.tenant_id,
        workspace_id=caller.workspace_id,
        session_id=id_named("ses", session_id),
        at=at,
    )
    if session is None:
        raise nothing_here()
    return session


def _answer_alone(session: Session) -> SessionAnswer:
    return _answer(session, workspace_slugs([session.workspace_id]))


def _answer(session: Session, slugs: Mapping[UUID, str]) -> SessionAnswer:
    return SessionAnswer(
        id=encode_id("ses", session.id),
        session=session.name,
        workspace=slugs[session.workspace_id],
        state=session.state,
        office=session.office,
        agent=session.agent,
        user=session.end_user,
        started_at=session.started_at,
        heartbeat_at=session.heartbeat_at,
        expires_at=session.lease_until if session.ended_at is None else None,
        ended_at=session.ended_at,
        runs=session.runs,
        stopped_for=session.stopped_for or None,
    )
