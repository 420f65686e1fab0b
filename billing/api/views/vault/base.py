"""What the views of the vault share: whose keys they are about, and who may call them (K10)."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.idempotency import HEADER, idempotency_key
from billing.api.lookups import id_named, nothing_here
from billing.api.permissions import HasScope, OfWholeTenant
from billing.api.vault_answers import KeyAnswer, key_answer
from billing.api.views.base import ApiView
from billing.core.problems import FieldError, problem
from tenants.permissions import Permission
from vault.crypto.redaction import shows_a_key
from vault.crypto.secret import Secret
from vault.models import Credential
from vault.queries import find_credential

MANAGE = (Permission.TENANT_MANAGE,)


class KeysOfWholeTenant(OfWholeTenant):
    """Provider keys are the tenant's (K10)."""

    what = "provider keys"


class VaultView(ApiView):
    """A view for API keys of the whole tenant that have the scope tenant.manage."""

    permission_classes = (HasScope, KeysOfWholeTenant)

    def handle_exception(self, exc: Exception) -> Response:
        """A provider key that the tenant does not have is not found, whether or not somebody else has it."""
        return super().handle_exception(nothing_here() if isinstance(exc, Credential.DoesNotExist) else exc)


def credential_named(text: str) -> UUID:
    """The id of a provider key in an address. Raises the problem not-found."""
    return id_named("cred", text)


def answer_for(tenant_id: UUID, credential_id: UUID) -> KeyAnswer:
    """The tenant's provider key as it is now. Raises Credential.DoesNotExist."""
    return key_answer(find_credential(tenant_id, credential_id))


def header_key(request: Request, plain: Secret | None) -> str:
    """The caller's idempotency key, which is kept as it is, so that the provider key is no part of it.

    Raises the problem invalid-request.
    """
    key = idempotency_key(request)
    if shows_a_key(key) or (plain is not None and plain.reveal() in key):
        raise problem(
            "invalid-request",
            f"The header {HEADER} holds a provider key.",
            errors=(FieldError(HEADER, "holds-a-key", "Send a UUID, or leave the header out."),),
        )
    return key
