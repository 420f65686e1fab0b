"""POST /stripe/webhook/{uuid}/."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.utils.timezone import now
from djstripe.models import APIKey, WebhookEndpoint, WebhookEventTrigger
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from billing.stripe_sync import webhooks
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import InboxEvent
from billing.stripe_sync.services.forget_deliveries import forget_deliveries
from sandbox.stripe.process import StripeSandbox
from sandbox.stripe.signing import signature_header
from tests.stripe_sync.webhooks import Delivery, deliver, deliveries, hold_webhooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(stripe: StripeSandbox) -> Delivery:
    """Stripe tells of a changed customer."""
    hold_webhooks(stripe)
    customer = stripe_client().v1.customers.create({"email": "ann@example.com"})
    stripe_client().v1.customers.update(customer.id, {"name": "Ann"})
    return deliveries(stripe, type_="customer.updated")[0]


def altered(delivery: Delivery, **headers: str) -> Delivery:
    return Delivery(delivery.type, delivery.path, {**delivery.headers, **headers}, delivery.body)


def test_event_is_stored_before_it_is_acknowledged(client: Client, delivery: Delivery) -> None:
    """S4: 200 means that it is in the inbox, with what it is about and nothing else."""
    assert deliver(client, delivery).status_code == 200
    event, told = InboxEvent.objects.get(), json.loads(delivery.body)
    assert (event.event_id, event.type, event.state) == (told["id"], "customer.updated", "pending")
    assert event.object_id == event.customer_id == told["data"]["object"]["id"]
    assert WebhookEventTrigger.objects.get().valid
    assert not APIKey.objects.exists()


def test_delivery_again_is_counted(client: Client, delivery: Delivery) -> None:
    """S4: the same event twice is one event."""
    assert [deliver(client, delivery).status_code for _ in range(2)] == [200, 200]
    assert InboxEvent.objects.get().deliveries == 2


def test_worker_is_told_once_it_is_stored(
    client: Client,
    delivery: Delivery,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """S4: after the commit; a broker that is away costs nothing, for the worker looks by itself too."""
    told: list[int] = []

    def tell() -> None:
        told.append(InboxEvent.objects.count())
        raise ConnectionError

    monkeypatch.setattr(webhooks, "queue_inbox", tell)
    with django_capture_on_commit_callbacks(execute=True):
        assert deliver(client, delivery).status_code == 200
    assert told == [1]


@pytest.mark.parametrize("signature", ["t=1,v1=00", "nonsense", ""])
def test_wrong_signature_is_refused(client: Client, delivery: Delivery, signature: str) -> None:
    """S4: whoever does not know the secret puts nothing into the inbox."""
    assert deliver(client, altered(delivery, **{"Stripe-Signature": signature})).status_code == 400
    assert not InboxEvent.objects.exists()


def test_missing_signature_is_refused(client: Client, delivery: Delivery) -> None:
    """S4: nor does whoever signs nothing."""
    unsigned = Delivery(delivery.type, delivery.path, {}, delivery.body)
    assert deliver(client, unsigned).status_code == 400


def test_old_signature_is_refused(client: Client, delivery: Delivery) -> None:
    """S4: a recorded delivery cannot be sent again an hour later."""
    secret = WebhookEndpoint.objects.get(url__endswith=delivery.path).secret
    with time_machine.travel(now() - timedelta(hours=1)):
        old = signature_header(secret, delivery.body)
    assert deliver(client, altered(delivery, **{"Stripe-Signature": old})).status_code == 400


def test_other_endpoints_secret_is_refused(client: Client, delivery: Delivery) -> None:
    """S4: each endpoint has its own."""
    other = WebhookEndpoint.objects.exclude(url__endswith=delivery.path).get().secret
    signature = signature_header(other, delivery.body)
    assert deliver(client, altered(delivery, **{"Stripe-Signature": signature})).status_code == 400


def test_header_does_not_replace_the_secret(client: Client, delivery: Delivery, settings: Settings) -> None:
    """S4: dj-stripe would take a secret from a header where DEBUG is on."""
    settings.DEBUG = True
    headers = {
        "Stripe-Signature": signature_header("whsec_mine", delivery.body),
        "X-Djstripe-Webhook-Secret": "whsec_mine",
    }
    assert deliver(client, altered(delivery, **headers)).status_code == 400


@pytest.mark.parametrize("lost", ["row", "secret"])
def test_unknown_endpoint_is_not_found(client: Client, delivery: Delivery, lost: str) -> None:
    """S4: an address that nobody has, and one whose secret is lost."""
    path = f"/stripe/webhook/{uuid4()}/"
    if lost == "secret":
        WebhookEndpoint.objects.update(secret="")
        path = delivery.path
    assert deliver(client, Delivery(delivery.type, path, delivery.headers, delivery.body)).status_code == 404


def test_body_that_is_no_text_is_refused(client: Client, delivery: Delivery) -> None:
    """S4: bad input is 400."""
    response = client.post(delivery.path, b"\xff\xfe", content_type="application/json", headers=delivery.headers)
    assert response.status_code == 400
    assert client.get(delivery.path).status_code == 405


def test_webhook_acknowledged_before_it_is_stored(
    client: Client, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: where storing fails Stripe is not told 200, so that it sends the event again."""

    def fail(**_event: object) -> None:
        raise DatabaseError("The disk is full.")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "keep_event", fail)
        assert deliver(client, delivery).status_code == 500
    assert not InboxEvent.objects.exists()
    assert not WebhookEventTrigger.objects.exists()
    assert deliver(client, delivery).status_code == 200
    assert InboxEvent.objects.count() == 1


def test_raw_deliveries_are_forgotten(client: Client, delivery: Delivery) -> None:
    """S4: after 30 days; the inbox keeps what they were about."""
    deliver(client, delivery)
    assert forget_deliveries(at=now() + timedelta(days=29)) == 0
    assert forget_deliveries(at=now() + timedelta(days=31)) == 1
    assert not WebhookEventTrigger.objects.exists()
    assert InboxEvent.objects.count() == 1
