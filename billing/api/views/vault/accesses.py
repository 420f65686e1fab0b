"""GET /v1/vault/accesses: who used which key when (K10)."""

from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import caller_of
from billing.api.vault_answers import AccessesAnswer, access_answer
from billing.api.vault_fields import AccessQuery
from billing.api.views.vault.base import MANAGE, VaultView, credential_named
from vault.queries import accesses_of, find_credential


class Accesses(VaultView):
    """GET /v1/vault/accesses"""

    scopes = {"GET": MANAGE}

    @describe("list_accesses", tag="Vault", summary="Uses of provider keys", answer=AccessesAnswer, query=AccessQuery)
    def get(self, request: Request) -> Response:
        """Each time that the text of one of the tenant's own keys left the vault: for a run, or for a check."""
        query, tenant_id = AccessQuery.read(request), caller_of(request).tenant_id
        key_id = None
        if "credential" in query:
            key_id = find_credential(tenant_id, credential_named(query["credential"])).credential.id
        rows = accesses_of(tenant_id, limit=query["limit"] + 1, before=id_of(query), credential_id=key_id)
        return Response(AccessesAnswer(*paged(rows, query["limit"], access_answer, lambda row: encode_cursor(row.id))))
