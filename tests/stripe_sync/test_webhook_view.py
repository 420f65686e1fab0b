"""POST /stripe/webhook/{uuid}/."""

import json
from datetime import timedelta
from typing import Any
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


def signed(delivery: Delivery, body: str) -> Delivery:
    """The body in place of the delivered one, with a signature that fits."""
    secret = WebhookEndpoint.objects.get(url__endswith=delivery.path).secret
    headers = {**delivery.headers, "Stripe-Signature": signature_header(secret, body)}
    return Delivery(delivery.type, delivery.path, headers, body)


def changed(delivery: Delivery, **members: Any) -> Delivery:
    """The delivery with other members, signed."""
    return signed(delivery, json.dumps(json.loads(delivery.body) | members))


def require_refusal(client: Client, delivery: Delivery, reason: str, *, status: int = 400) -> None:
    response = deliver(client, delivery)
    assert (response.status_code, response["Content-Type"]) == (status, "text/plain; charset=utf-8")
    assert reason in response.content.decode()
    assert not InboxEvent.objects.exists()
    assert not WebhookEventTrigger.objects.exists()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not valid JSON"),
        ("null", "Expected `object`, got `null`"),
        ("[]", "Expected `object`, got `array`"),
        ("[" * 50_000, "Expected `object`, got `array`"),
        ('{"more": ' + "[" * 50_000, "not valid JSON: maximum recursion depth"),
        ("{}", "missing required field `id`"),
        ('{"id":1}', "Expected `str`, got `int` - at `$.id`"),
        ('{"id": "\\ud800"}', "not valid JSON"),
    ],
    ids=lambda value: value[:20],
)
def test_body_that_is_no_event_is_refused(client: Client, delivery: Delivery, body: str, reason: str) -> None:
    """S4: a fitting signature under nonsense is 400 with the reason, and nothing is kept."""
    require_refusal(client, signed(delivery, body), reason)


@pytest.mark.parametrize(
    "members",
    [
        {"data": None},
        {"data": []},
        {"data": {"object": None}},
        {"data": {"object": []}},
        {"data": {"object": {"id": "cus_\0", "object": "customer"}}},
        {"data": {"object": {"id": "c" * 256, "object": "customer"}}},
        {"data": {"object": {"id": "cus_1", "object": "c" * 61}}},
        {"data": {"object": {"id": "in_1", "customer": 7}}},
        {"data": {"object": {"id": "in_1", "customer": {"id": "cus_\udfff"}}}},
        {"data": {"object": {"id": "pm_1"}, "previous_attributes": {"customer": []}}},
        {"id": ""},
        {"id": "evt_\0"},
        {"id": "evt_\ud800"},
        {"id": "e" * 256},
        {"type": None},
        {"type": ["customer.updated"]},
        {"type": "t" * 101},
        {"created": None},
        {"created": "1700000000"},
        {"created": 1.5},
        {"created": -1},
        {"created": 10**12},
        {"created": 10**400},
        {"livemode": None},
        {"account": 5},
    ],
    ids=str,
)
def test_event_of_another_shape_is_refused(client: Client, delivery: Delivery, members: dict[str, Any]) -> None:
    """S4: what we take from an event is checked, so that it fits the inbox."""
    require_refusal(client, changed(delivery, **members), "The body is no")


def test_what_we_do_not_take_may_be_anything(client: Client, delivery: Delivery) -> None:
    """S4: Stripe adds to its events as it likes."""
    assert deliver(client, changed(delivery, request="\0", more=[{"id": 1}])).status_code == 200
    assert InboxEvent.objects.count() == WebhookEventTrigger.objects.count() == 1


@pytest.mark.parametrize("is_live", [True, False])
def test_event_of_another_mode_is_not_kept(
    client: Client, delivery: Delivery, settings: Settings, is_live: bool
) -> None:
    """S4, S6: a test event buys nothing on a live installation, nor the other way round."""
    settings.STRIPE_LIVE_MODE = not is_live
    require_refusal(client, changed(delivery, livemode=is_live), "of another mode", status=200)


def test_signature_is_looked_at_first(client: Client, delivery: Delivery) -> None:
    """S4: whoever cannot sign does not learn what a body should be."""
    unsigned = Delivery(delivery.type, delivery.path, {"Stripe-Signature": "t=1,v1=\xe9"}, "null")
    require_refusal(client, unsigned, "The signature does not fit")


def test_body_that_is_too_large_is_refused(client: Client, delivery: Delivery, settings: Settings) -> None:
    """S4: 413, also where it is signed."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(delivery.body) - 1
    require_refusal(client, delivery, f"larger than {len(delivery.body) - 1} bytes", status=413)


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
