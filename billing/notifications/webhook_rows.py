"""What the services of webhook endpoints share: locks, checks of what members enter, secrets in the vault (N1)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from billing.core.ids import encode_id
from billing.core.problems import FieldError, problem
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import endpoints_of
from billing.notifications.webhook_signing import PURPOSE
from tenants.services.record_audit import Actor, record_audit
from vault.crypto.secret import Secret
from vault.errors import AddressNotAllowed, VaultError, VaultNotConfigured
from vault.models import SealedText
from vault.outbound.addresses import check_target, origin_of
from vault.outbound.resolving import Resolve
from vault.sealed_texts import erase_texts, seal_text
from vault.versions import unwrap_data_key

_log = structlog.get_logger(__name__)
_LONGEST_URL = 500  # of the column
_LONGEST_DESCRIPTION = 200


def lock_endpoint(tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """The tenant's endpoint, unchanged until the transaction ends. Raises WebhookEndpoint.DoesNotExist."""
    return endpoints_of(tenant_id).select_for_update(no_key=True).get(id=endpoint_id)


def is_slow_for_now(endpoint: WebhookEndpoint, at: datetime) -> bool:
    """Of one that starts afresh: a call that is under way ends in its lane, where it is counted."""
    is_under_way = endpoint.lease is not None and endpoint.leased_until is not None and endpoint.leased_until > at
    return endpoint.is_slow and is_under_way


def checked_url(url: str, *, resolve: Resolve) -> str:
    """The address in its one spelling. Raises the problem webhook-address-not-allowed."""
    try:
        return check_target(url.strip(), longest=_LONGEST_URL, resolve=resolve)
    except AddressNotAllowed as refusal:
        raise problem(
            "webhook-address-not-allowed",
            refusal.reason,
            remedy="Enter an address that begins with https:// and that the internet can reach.",
            errors=(FieldError("url", "not-allowed", refusal.reason),),
        ) from None


def checked_types(event_types: Iterable[str]) -> list[str]:
    """Each type once, in the order of the registry. Raises the problem unknown-event-type."""
    chosen = set(event_types)
    unknown = sorted(chosen - set(EventType))
    if unknown:
        detail = f"There is no type of event called “{unknown[0][:60]}”."
        raise problem(
            "unknown-event-type",
            detail,
            remedy=f"The types are {', '.join(EventType)}.",
            errors=(FieldError("event_types", "unknown", detail),),
        )
    return [kind.value for kind in EventType if kind in chosen]


def checked_description(description: str) -> str:
    """One line. Raises the problem invalid-request."""
    text = " ".join(description.split())
    if len(text) > _LONGEST_DESCRIPTION or not text.isprintable():
        detail = f"A description has at most {_LONGEST_DESCRIPTION} characters, in one line."
        raise problem("invalid-request", detail, errors=(FieldError("description", "invalid", detail),))
    return text


def require_enabled(endpoint: WebhookEndpoint) -> None:
    """Raises the problem webhook-endpoint-disabled."""
    if endpoint.state != WebhookEndpoint.State.ENABLED:
        raise problem(
            "webhook-endpoint-disabled",
            "Nothing is sent to a webhook endpoint that is disabled.",
            remedy="Enable the endpoint first.",
        )


@contextmanager
def vault_problems() -> Iterator[None]:
    """What the vault cannot do now, as problems of ours."""
    try:
        yield
    except VaultNotConfigured as error:
        _log.error("vault_not_configured", reason=str(error))
        raise problem(
            "vault-not-configured",
            "This installation keeps no secrets yet.",
            remedy="Its operator sets a key-encryption key up.",
        ) from error
    except VaultError as error:
        _log.error("vault_unavailable", reason=str(error))
        raise problem("service-unavailable", "The vault cannot be used just now.", retry_after=10) from error


def prepare_sealing(tenant_id: UUID) -> None:
    """Have the data key at hand before rows are locked. Raises the problems of the vault."""
    with vault_problems():
        unwrap_data_key(tenant_id)


def keep_secret(tenant_id: UUID, plain: Secret, at: datetime) -> SealedText:
    """Raises the problems of the vault."""
    with vault_problems():
        return seal_text(tenant_id=tenant_id, purpose=PURPOSE, plain=plain, at=at)


def erase_secrets(*text_ids: UUID | None, at: datetime) -> None:
    """Those that there are, for good."""
    erase_texts(*[text_id for text_id in text_ids if text_id is not None], at=at)


def cancel_pending(endpoint: WebhookEndpoint) -> int:
    """Give up what is not delivered yet; answers how many."""
    pending = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    return pending.update(state=WebhookDelivery.State.CANCELLED)


def audit_endpoint(endpoint: WebhookEndpoint, action: str, *, actor: Actor, at: datetime, **detail: Any) -> None:
    """Write to the tenant's audit log. Of the address only the host: the rest of it may be a secret."""
    record_audit(
        tenant_id=endpoint.tenant_id,
        actor=actor,
        action=f"webhook_endpoint.{action}",
        target=encode_id("whe", endpoint.id),
        at=at,
        detail={"host": origin_of(endpoint.url).netloc, **detail},
    )
