"""/v1/vault/policy: what happens to runs without a usable key of the tenant's own (K6)."""

from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.permissions import actor_of, caller_of
from billing.api.vault_answers import PolicyAnswer
from billing.api.vault_fields import NewPolicy, VaultQuery
from billing.api.views.vault.base import MANAGE, VaultView
from vault.queries import policy_of
from vault.services.set_policy import set_policy


class Policy(VaultView):
    """/v1/vault/policy"""

    scopes = {"GET": MANAGE, "PUT": MANAGE}

    @describe("get_key_policy", tag="Vault", summary="Policy for runs without a usable key", answer=PolicyAnswer)
    def get(self, request: Request) -> Response:
        """What the tenant has chosen."""
        VaultQuery.read(request)
        return Response(PolicyAnswer(policy_of(caller_of(request).tenant_id)))

    @describe(
        "set_key_policy",
        tag="Vault",
        summary="Choose what runs without a usable key do",
        answer=PolicyAnswer,
        body=NewPolicy,
    )
    def put(self, request: Request) -> Response:
        """No choice lets the platform's key stand in for one that cannot be read, or on plans for own keys alone."""
        VaultQuery.read(request)
        fallback = NewPolicy.read(request)["fallback"]
        set_policy(tenant_id=caller_of(request).tenant_id, fallback=fallback, actor=actor_of(request), at=now())
        return Response(PolicyAnswer(fallback))
