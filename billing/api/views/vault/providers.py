"""GET /v1/vault/providers: whose keys the vault keeps (K3)."""

from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.vault_answers import ProvidersAnswer, provider_answer
from billing.api.vault_fields import VaultQuery
from billing.api.views.vault.base import MANAGE, VaultView
from vault.providers import PROVIDERS


class Providers(VaultView):
    """GET /v1/vault/providers"""

    scopes = {"GET": MANAGE}

    @describe("list_providers", tag="Vault", summary="Providers whose keys are kept", answer=ProvidersAnswer)
    def get(self, request: Request) -> Response:
        """Of models, speech, telephony and e-mail."""
        VaultQuery.read(request)
        return Response(ProvidersAnswer([provider_answer(provider) for provider in PROVIDERS.values()]))
