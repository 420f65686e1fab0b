"""Knowledge-base sources of a workspace: stored bytes are a gauge that the plan limits (P6)."""

from datetime import datetime

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.lookups import id_named, nothing_here, workspace_named
from billing.api.pagination import encode_cursor, paged, time_and_id_of
from billing.api.permissions import caller_of
from billing.api.serializers import Body, PageQuery, Query, Text, WholeNumber
from billing.api.views.agents import REGISTER, SEE_REGISTERED
from billing.api.views.base import ApiView
from billing.core.ids import encode_id
from billing.usage.gauges import sources_of
from billing.usage.models import KnowledgeSource
from billing.usage.services.add_source import add_source
from billing.usage.services.remove_source import remove_source

LARGEST = 10**15  # bytes: beyond any document, and sums of many stay exact


class SourceAnswer(msgspec.Struct, frozen=True):
    """A source of a knowledge base, and how many bytes it occupies."""

    id: str
    name: str
    bytes: int
    created_at: datetime


class SourcesAnswer(msgspec.Struct, frozen=True):
    """A page of a workspace's sources, the newest first."""

    results: list[SourceAnswer]
    next: str | None


class NewSource(Body):
    """A source to register."""

    name = Text(max_length=200)
    bytes = WholeNumber(min_value=0, max_value=LARGEST)


class Sources(ApiView):
    """/v1/workspaces/{workspace}/kb/sources"""

    scopes = {"GET": SEE_REGISTERED, "POST": REGISTER}

    @describe("list_sources", tag="Knowledge base", summary="Sources", answer=SourcesAnswer, query=PageQuery)
    def get(self, request: Request, workspace: str) -> Response:
        """Removed ones are not listed."""
        query = PageQuery.read(request)
        room = workspace_named(caller_of(request), workspace)
        sources = sources_of(workspace_id=room.id, limit=query["limit"] + 1, before=time_and_id_of(query))
        page = paged(sources, query["limit"], _answer, lambda source: encode_cursor(source.id, source.created_at))
        return Response(SourcesAnswer(*page))

    @describe(
        "add_source",
        tag="Knowledge base",
        summary="Register a source",
        answer=SourceAnswer,
        status=201,
        body=NewSource,
    )
    def post(self, request: Request, workspace: str) -> Response:
        """402 `quota-exceeded-kb-upload-size` for one too large, `quota-exceeded-kb-storage` for one too many."""
        Query.read(request)
        room = workspace_named(caller_of(request), workspace)
        body = NewSource.read(request)
        source = add_source(workspace_id=room.id, name=body["name"], size=body["bytes"], at=now())
        return Response(_answer(source), status=201)


class SourceDetail(ApiView):
    """/v1/workspaces/{workspace}/kb/sources/{source_id}"""

    scopes = {"DELETE": REGISTER}

    @describe("remove_source", tag="Knowledge base", summary="Remove a source", answer=None)
    def delete(self, request: Request, workspace: str, source_id: str) -> Response:
        """Frees its bytes."""
        Query.read(request)
        room = workspace_named(caller_of(request), workspace)
        try:
            remove_source(workspace_id=room.id, source_id=id_named("kbs", source_id), at=now())
        except KnowledgeSource.DoesNotExist:
            raise nothing_here() from None
        return Response(status=204)


def _answer(source: KnowledgeSource) -> SourceAnswer:
    return SourceAnswer(
        id=encode_id("kbs", source.id), name=source.name, bytes=source.bytes, created_at=source.created_at
    )
