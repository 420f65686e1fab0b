"""What is done with a provider key's versions: rotate, go back, check (K8, K9)."""

from datetime import timedelta

from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.idempotency import IDEMPOTENCY_KEY, Keep, answered_together
from billing.api.permissions import actor_of, caller_of
from billing.api.vault_answers import KeyAnswer
from billing.api.vault_fields import Rotation, VaultBody, VaultQuery
from billing.api.views.vault.base import MANAGE, VaultView, answer_for, credential_named, header_key
from vault.services.restore_version import restore_version
from vault.services.rotate_credential import rotate_credential
from vault.services.validate_credential import validate_credential


class RotateCredential(VaultView):
    """POST /v1/vault/credentials/{credential_id}/rotate"""

    scopes = {"POST": MANAGE}

    @describe(
        "rotate_credential",
        tag="Vault",
        summary="Replace a provider key's text",
        answer=KeyAnswer,
        body=Rotation,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, credential_id: str) -> Response:
        """The new text is tried at the provider first, then used by all runs from the next call on.

        The replaced one can be gone back to for `overlap_hours`, and is erased after.
        """
        VaultQuery.read(request)
        key_id, tenant_id = credential_named(credential_id), caller_of(request).tenant_id
        body = Rotation.read(request)
        key, at = header_key(request, body["plain"]), now()
        hours = body.get("overlap_hours")

        def rotate(keep: Keep) -> None:
            rotate_credential(
                tenant_id=tenant_id,
                credential_id=key_id,
                plain=body["plain"],
                overlap=timedelta(hours=hours) if hours is not None else None,
                actor=actor_of(request),
                at=at,
                stored=lambda rotated: keep(answer_for(tenant_id, rotated.id)),
            )

        operation = f"rotate-{key_id.hex}"
        return Response(
            answered_together(tenant_id=tenant_id, operation=operation, key=key, body=body, do=rotate, at=at)
        )


class RestoreVersion(VaultView):
    """POST /v1/vault/credentials/{credential_id}/restore"""

    scopes = {"POST": MANAGE}

    @describe("restore_credential", tag="Vault", summary="Go back to a key's replaced text", answer=KeyAnswer)
    def post(self, request: Request, credential_id: str) -> Response:
        """While `previous` is there, else 409 `nothing-to-change`. The newer text is the replaced one then."""
        VaultQuery.read(request)
        VaultBody.read(request)
        key_id, tenant_id = credential_named(credential_id), caller_of(request).tenant_id
        restore_version(tenant_id=tenant_id, credential_id=key_id, actor=actor_of(request), at=now())
        return Response(answer_for(tenant_id, key_id))


class ValidateCredential(VaultView):
    """POST /v1/vault/credentials/{credential_id}/validate"""

    scopes = {"POST": MANAGE}

    @describe("validate_credential", tag="Vault", summary="Check a key at its provider now", answer=KeyAnswer)
    def post(self, request: Request, credential_id: str) -> Response:
        """By a call that costs nothing. What it found is the key's `health`; keys are also checked on their own."""
        VaultQuery.read(request)
        VaultBody.read(request)
        key_id, tenant_id = credential_named(credential_id), caller_of(request).tenant_id
        validate_credential(tenant_id=tenant_id, credential_id=key_id, actor=actor_of(request), at=now())
        return Response(answer_for(tenant_id, key_id))
