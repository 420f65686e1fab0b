"""/v1/vault/assignments: which place and model runs on which key (K4, K7)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import actor_of, caller_of
from billing.api.vault_answers import AssignedAnswer, AssignmentsAnswer, assignment_answer
from billing.api.vault_assignments import Assigning, AssignmentChange, AssignmentChanges, read_changes, telling_row
from billing.api.vault_fields import VaultPageQuery, VaultQuery
from billing.api.views.vault.base import MANAGE, VaultView
from tenants.services.record_audit import Actor
from vault.queries import page_of_assignments
from vault.services.assign_key import assign_key
from vault.services.unassign_key import unassign_key

_ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="AssignmentOrAssignments",
    serializers=[AssignmentChange, AssignmentChanges],
    resource_type_field_name=None,
)


class Assignments(VaultView):
    """/v1/vault/assignments"""

    scopes = {"GET": MANAGE, "PUT": MANAGE}

    @describe(
        "list_assignments",
        tag="Vault",
        summary="What provider keys are assigned to",
        answer=AssignmentsAnswer,
        query=VaultPageQuery,
    )
    def get(self, request: Request) -> Response:
        """The nearest place of a run that has an assignment for its provider and model decides, alone."""
        query = VaultPageQuery.read(request)
        rows = page_of_assignments(caller_of(request).tenant_id, limit=query["limit"] + 1, before=id_of(query))
        page = paged(rows, query["limit"], lambda row: assignment_answer(*row), lambda row: encode_cursor(row[0].id))
        return Response(AssignmentsAnswer(*page))

    @describe("set_assignments", tag="Vault", summary="Assign provider keys", answer=AssignedAnswer, body=_ONE_OR_MANY)
    def put(self, request: Request) -> Response:
        """One assignment, or several of which all are made or none.

        What a place had for the same models is replaced, what it has for others stays.
        """
        VaultQuery.read(request)
        tenant_id, changes = caller_of(request).tenant_id, read_changes(request)
        made, removed = _apply(tenant_id, changes, actor_of(request), now())
        rows = page_of_assignments(tenant_id, limit=len(made), only=made)
        return Response(AssignedAnswer([assignment_answer(*row) for row in rows], removed))


@transaction.atomic
def _apply(tenant_id: UUID, changes: list[Assigning], actor: Actor, at: datetime) -> tuple[set[UUID], int]:
    """The rows made or kept, and how many went. Raises ValidationError."""
    made: set[UUID] = set()
    removed = 0
    for change in changes:
        with telling_row(change):
            if change.removed:
                removed += unassign_key(tenant_id=tenant_id, actor=actor, at=at, **change.what())
            else:
                rows = assign_key(
                    tenant_id=tenant_id, credential_id=change.credential_id, actor=actor, at=at, **change.what()
                )
                made |= {row.id for row in rows}
    return made, removed
