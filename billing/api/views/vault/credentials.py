"""/v1/vault/credentials: the tenant's own keys of providers (K2)."""

from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.idempotency import IDEMPOTENCY_KEY, Keep, answered_together
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import actor_of, caller_of
from billing.api.vault_answers import KeyAnswer, KeysAnswer, key_answer
from billing.api.vault_fields import CredentialChange, NewCredential, VaultPageQuery, VaultQuery
from billing.api.views.vault.base import MANAGE, VaultView, answer_for, credential_named, header_key
from vault.crypto.secret import Secret
from vault.providers import NO_KEY
from vault.queries import page_of_credentials
from vault.services.add_credential import add_credential
from vault.services.change_credential import change_credential
from vault.services.revoke_credential import revoke_credential


class Credentials(VaultView):
    """/v1/vault/credentials"""

    scopes = {"GET": MANAGE, "POST": MANAGE}

    @describe("list_credentials", tag="Vault", summary="Provider keys", answer=KeysAnswer, query=VaultPageQuery)
    def get(self, request: Request) -> Response:
        """The tenant's own keys; revoked ones are not listed."""
        query = VaultPageQuery.read(request)
        keys = page_of_credentials(caller_of(request).tenant_id, limit=query["limit"] + 1, before=id_of(query))
        page = paged(keys, query["limit"], key_answer, lambda summary: encode_cursor(summary.credential.id))
        return Response(KeysAnswer(*page))

    @describe(
        "add_credential",
        tag="Vault",
        summary="Add a provider key",
        answer=KeyAnswer,
        status=201,
        body=NewCredential,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """It is tried at the provider, at no cost, before it is stored: 422 `provider-key-rejected` where it is none.

        Nothing but its last four characters is ever answered again.
        """
        VaultQuery.read(request)
        body = NewCredential.read(request)
        key, at = header_key(request, body["plain"]), now()
        tenant_id = caller_of(request).tenant_id

        def add(keep: Keep) -> None:
            add_credential(
                tenant_id=tenant_id,
                provider=body["provider"],
                name=body.get("name", ""),
                plain=body["plain"] or Secret(NO_KEY),
                base_url=body.get("base_url", ""),
                expires_at=body.get("expires_at"),
                actor=actor_of(request),
                at=at,
                stored=lambda added: keep(answer_for(tenant_id, added.id)),
            )

        answer = answered_together(tenant_id=tenant_id, operation="add-credential", key=key, body=body, do=add, at=at)
        return Response(answer, status=201)


class CredentialDetail(VaultView):
    """/v1/vault/credentials/{credential_id}"""

    scopes = {"GET": MANAGE, "PATCH": MANAGE, "DELETE": MANAGE}

    @describe("get_credential", tag="Vault", summary="A provider key", answer=KeyAnswer)
    def get(self, request: Request, credential_id: str) -> Response:
        """A revoked one too."""
        VaultQuery.read(request)
        return Response(answer_for(caller_of(request).tenant_id, credential_named(credential_id)))

    @describe(
        "change_credential", tag="Vault", summary="Change a provider key", answer=KeyAnswer, body=CredentialChange
    )
    def patch(self, request: Request, credential_id: str) -> Response:
        """Its name, its end, and whether it may be used. A disabled key stops the runs that are assigned to it at once.

        Its text is changed by rotating it; its provider and base URL never change.
        """
        VaultQuery.read(request)
        key_id, tenant_id = credential_named(credential_id), caller_of(request).tenant_id
        body = CredentialChange.read(request)
        change_credential(tenant_id=tenant_id, credential_id=key_id, actor=actor_of(request), at=now(), **body)
        return Response(answer_for(tenant_id, key_id))

    @describe("revoke_credential", tag="Vault", summary="Revoke a provider key", answer=None)
    def delete(self, request: Request, credential_id: str) -> Response:
        """All its versions are erased at once. What it is assigned to stays so, and runs there are refused."""
        VaultQuery.read(request)
        revoke_credential(
            tenant_id=caller_of(request).tenant_id,
            credential_id=credential_named(credential_id),
            actor=actor_of(request),
            at=now(),
        )
        return Response(status=204)
