from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.problems import problem
from billing.notifications.models import WebhookEndpoint
from billing.notifications.queries import endpoints_of
from billing.notifications.webhook_rows import (
    audit_endpoint,
    checked_description,
    checked_types,
    checked_url,
    keep_secret,
    prepare_sealing,
)
from billing.notifications.webhook_signing import new_secret
from tenants.services.record_audit import Actor
from vault.crypto.secret import Secret
from vault.locks import lock_choices
from vault.outbound.resolving import Resolve, addresses_of

MOST_ENDPOINTS = 10
"""Of a tenant, removed ones not counted."""


def create_endpoint(
    *,
    tenant_id: UUID,
    url: str,
    description: str = "",
    event_types: Iterable[str] = (),
    actor: Actor,
    at: datetime,
    resolve: Resolve = addresses_of,
) -> tuple[WebhookEndpoint, Secret]:
    """Tell an address of a tenant of events from now on: of these types, or of all where none is named (N1).

    The secret is shown once. Raises the problems webhook-address-not-allowed, unknown-event-type, invalid-request,
    too-many-webhook-endpoints, and those of the vault.
    """
    endpoint = WebhookEndpoint(
        tenant_id=tenant_id,
        url=checked_url(url, resolve=resolve),
        description=checked_description(description),
        event_types=checked_types(event_types),
        created_by_id=actor.user_id,
        created_at=at,
    )
    prepare_sealing(tenant_id)
    return endpoint, _store(endpoint, actor, at)


@transaction.atomic
def _store(endpoint: WebhookEndpoint, actor: Actor, at: datetime) -> Secret:
    lock_choices(endpoint.tenant_id)
    if endpoints_of(endpoint.tenant_id).count() >= MOST_ENDPOINTS:
        raise problem(
            "too-many-webhook-endpoints",
            f"A tenant has at most {MOST_ENDPOINTS} webhook endpoints.",
            remedy="Remove one that is not needed any more.",
        )
    secret = new_secret()
    endpoint.secret = keep_secret(endpoint.tenant_id, secret, at)
    endpoint.save(force_insert=True)
    audit_endpoint(endpoint, "created", actor=actor, at=at, event_types=endpoint.event_types)
    return secret
