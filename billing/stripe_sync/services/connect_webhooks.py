import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import stripe
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from djstripe.models import WebhookEndpoint

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.events import EVENTS_BY_ENDPOINT
from billing.stripe_sync.mirror import own_account
from billing.stripe_sync.push_lock import lock_push
from billing.stripe_sync.reading import noted

_PURPOSE = "quaestor"  # the metadata that tells the two endpoints of an installation apart
_LISTENER = "we_listener"  # the row of an endpoint that is not Stripe's to list


@dataclass
class WebhookSetup:
    """Where events come to, and what was changed for it; `advice` where something is left to do."""

    urls: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    advice: str = ""


@transaction.atomic
def connect_webhooks(*, origin: str) -> WebhookSetup:
    """Make sure that Stripe sends its events to `origin`, and that we know the secret of their signatures (S4).

    A secret is shown once, when an endpoint is made: one whose secret or row is gone is replaced. Stripe itself sends
    to https alone; without it, or where STRIPE_WEBHOOK_SECRET says that somebody else made the endpoint, only our row
    is written. Raises StripeNotConfigured, stripe.StripeError.
    """
    lock_push()
    client = stripe_client()
    if settings.STRIPE_WEBHOOK_SECRET or not _is_reachable(origin):
        return _listen(origin)
    prefix = f"{origin}{_path(UUID(int=0)).removesuffix(f'{UUID(int=0)}/')}"
    listed = client.v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter()
    there = [endpoint for endpoint in listed if endpoint.url.startswith(prefix)]
    setup, kept = WebhookSetup(), set()
    for purpose, events in EVENTS_BY_ENDPOINT.items():
        found = _usable(there, origin, purpose)
        row = _adjust(client, found, events) if found else _create(client, origin, purpose, events, setup)
        setup.urls.append(row.url)
        kept.add(row.id)
    for endpoint in there:
        if endpoint.id not in kept:
            client.v1.webhook_endpoints.delete(endpoint.id)
            setup.deleted.append(endpoint.id)
    WebhookEndpoint.objects.filter(url__startswith=prefix).exclude(id__in=kept).delete()
    return setup


def _is_reachable(origin: str) -> bool:
    """Whether Stripe would take the address; a stand-in takes any."""
    return urlsplit(origin).scheme == "https" or bool(getattr(settings, "STRIPE_API_HOST", None))


def _path(uuid: UUID) -> str:
    return reverse("stripe_webhook", args=[uuid])


def _usable(there: Sequence[stripe.WebhookEndpoint], origin: str, purpose: str) -> stripe.WebhookEndpoint | None:
    """An endpoint whose events we can check: of our API version, with a row that has its secret and its address."""
    rows = WebhookEndpoint.objects.exclude(secret="").in_bulk([e.id for e in there], field_name="id")
    for endpoint in there:
        row = rows.get(endpoint.id)
        if row is None or noted(endpoint, _PURPOSE) != purpose:
            continue
        if endpoint.api_version == settings.STRIPE_API_VERSION and endpoint.url == origin + _path(row.djstripe_uuid):
            return endpoint
    return None


def _adjust(client: stripe.StripeClient, found: stripe.WebhookEndpoint, events: Sequence[str]) -> WebhookEndpoint:
    """The endpoint's row, once it asks for these events and is on."""
    if set(found.enabled_events) != set(events) or found.status != "enabled":
        wanted: Any = list(events)
        found = client.v1.webhook_endpoints.update(found.id, {"enabled_events": wanted, "disabled": False})
    row = WebhookEndpoint.objects.get(id=found.id)
    row.enabled_events, row.status = list(found.enabled_events), found.status
    row.save(update_fields=["enabled_events", "status", "djstripe_updated"])
    return row


def _create(
    client: stripe.StripeClient, origin: str, purpose: str, events: Sequence[str], setup: WebhookSetup
) -> WebhookEndpoint:
    uuid = uuid4()
    wanted: Any = {
        "url": origin + _path(uuid),
        "enabled_events": list(events),
        "api_version": settings.STRIPE_API_VERSION,
        "connect": purpose == "connect",
        "description": f"Quaestor ({purpose})",
        "metadata": {_PURPOSE: purpose, "djstripe_uuid": str(uuid)},
    }
    made = client.v1.webhook_endpoints.create(wanted)
    setup.created.append(made.id)
    shown_later = {key: value for key, value in json.loads(str(made)).items() if key != "secret"}
    return WebhookEndpoint.objects.create(
        id=made.id,
        djstripe_uuid=uuid,
        url=made.url,
        secret=made.secret,
        enabled_events=list(made.enabled_events),
        status=made.status,
        api_version=made.api_version or "",
        livemode=made.livemode,
        created=datetime.fromtimestamp(made.created, UTC),
        metadata=shown_later["metadata"],
        djstripe_owner_account=own_account(),
        stripe_data=shown_later,
    )


def _listen(origin: str) -> WebhookSetup:
    """A row at an address that does not change, with the secret that the environment gives."""
    uuid = uuid5(NAMESPACE_URL, origin)
    url = origin + _path(uuid)
    if not settings.STRIPE_WEBHOOK_SECRET:
        return WebhookSetup(urls=[url], advice=_advice(url))
    WebhookEndpoint.objects.update_or_create(
        id=_LISTENER,
        defaults={
            "djstripe_uuid": uuid,
            "url": url,
            "secret": settings.STRIPE_WEBHOOK_SECRET,
            "enabled_events": ["*"],
            "status": "enabled",
            "api_version": settings.STRIPE_API_VERSION,
            "livemode": settings.STRIPE_LIVE_MODE,
        },
    )
    return WebhookSetup(urls=[url])


def _advice(url: str) -> str:
    return (
        "Stripe sends events to https addresses alone. At your desk let its command-line tool hand them on:\n"
        f"  stripe listen --forward-to {url} --forward-connect-to {url}\n"
        "and put the secret that it prints (whsec_…) into STRIPE_WEBHOOK_SECRET, then connect again."
    )
