"""Agents of a workspace: a gauge that the plan limits (P6)."""

from datetime import datetime

import msgspec
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.lookups import id_named, nothing_here, workspace_named
from billing.api.pagination import encode_cursor, paged, time_and_id_of
from billing.api.permissions import caller_of
from billing.api.serializers import Body, PageQuery, Query, Text
from billing.api.views.base import ApiView
from billing.core.ids import encode_id
from billing.usage.gauges import agents_of
from billing.usage.services.create_agent import create_agent
from billing.usage.services.retire_agent import retire_agent
from tenants.models import Agent
from tenants.permissions import Permission

REGISTER = (Permission.TENANT_MANAGE, Permission.USAGE_WRITE, Permission.RUNTIME)
SEE_REGISTERED = (*REGISTER, Permission.BILLING_VIEW)


class AgentAnswer(msgspec.Struct, frozen=True):
    """A live agent; `office` is the slug of its office."""

    id: str
    name: str
    office: str | None
    created_at: datetime


class AgentsAnswer(msgspec.Struct, frozen=True):
    """A page of a workspace's live agents, the newest first."""

    results: list[AgentAnswer]
    next: str | None


class NewAgent(Body):
    """An agent to register. An office that the workspace does not have yet is made."""

    name = Text(max_length=200)
    office = serializers.SlugField(max_length=63, required=False)


class Agents(ApiView):
    """/v1/workspaces/{workspace}/agents"""

    scopes = {"GET": SEE_REGISTERED, "POST": REGISTER}

    @describe("list_agents", tag="Agents", summary="Live agents", answer=AgentsAnswer, query=PageQuery)
    def get(self, request: Request, workspace: str) -> Response:
        """Retired ones are not listed."""
        query = PageQuery.read(request)
        room = workspace_named(caller_of(request), workspace)
        agents = agents_of(workspace_id=room.id, limit=query["limit"] + 1, before=time_and_id_of(query))
        page = paged(agents, query["limit"], _answer, lambda agent: encode_cursor(agent.id, agent.created_at))
        return Response(AgentsAnswer(*page))

    @describe("create_agent", tag="Agents", summary="Register an agent", answer=AgentAnswer, status=201, body=NewAgent)
    def post(self, request: Request, workspace: str) -> Response:
        """402 `quota-exceeded-agents` where the account runs as many as its plan allows."""
        Query.read(request)
        room = workspace_named(caller_of(request), workspace)
        body = NewAgent.read(request)
        agent = create_agent(workspace_id=room.id, name=body["name"], office=body.get("office"), at=now())
        return Response(_answer(agent), status=201)


class AgentDetail(ApiView):
    """/v1/workspaces/{workspace}/agents/{agent_id}"""

    scopes = {"DELETE": REGISTER}

    @describe("retire_agent", tag="Agents", summary="Retire an agent", answer=None)
    def delete(self, request: Request, workspace: str, agent_id: str) -> Response:
        """Frees its place; usage keeps naming it."""
        Query.read(request)
        room = workspace_named(caller_of(request), workspace)
        try:
            retire_agent(workspace_id=room.id, agent_id=id_named("agt", agent_id), at=now())
        except Agent.DoesNotExist:
            raise nothing_here() from None
        return Response(status=204)


def _answer(agent: Agent) -> AgentAnswer:
    return AgentAnswer(
        id=encode_id("agt", agent.id),
        name=agent.name,
        office=agent.office.slug if agent.office is not None else None,
        created_at=agent.created_at,
    )
