"""Answers that show a secret: what is kept under an idempotency key never holds it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from billing.api.idempotency import Keep, answered_together
from billing.api.webhook_answers import WebhookEndpointSecretAnswer, secret_answer
from billing.notifications.models import WebhookEndpoint
from vault.crypto.secret import Secret


def shown_once(
    *,
    tenant_id: UUID,
    operation: str,
    key: str,
    body: Mapping[str, Any],
    make: Callable[[], tuple[WebhookEndpoint, Secret]],
    at: datetime,
) -> msgspec.Struct | msgspec.Raw:
    """The answer with the secret to the request that made it; to a repetition the same answer without (N1).

    Raises as `answered_together`, and what `make` raises.
    """
    shown: list[WebhookEndpointSecretAnswer] = []

    @transaction.atomic
    def do(keep: Keep) -> None:
        endpoint, secret = make()
        keep(secret_answer(endpoint, None))
        shown.append(secret_answer(endpoint, secret))

    kept = answered_together(tenant_id=tenant_id, operation=operation, key=key, body=body, do=do, at=at)
    return shown[0] if shown else kept
