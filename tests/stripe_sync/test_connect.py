"""Setting Stripe up: `manage.py connect_stripe`."""

from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from djstripe.models import Account, APIKey, WebhookEndpoint
from pytest_django import Settings

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.events import CONNECT_EVENTS, PLATFORM_EVENTS
from billing.stripe_sync.models import StripePrice
from billing.stripe_sync.portal_configuration import portal_configuration_id
from billing.stripe_sync.services.connect_webhooks import connect_webhooks
from sandbox.stripe.process import TEST_KEY, StripeSandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
ORIGIN = "http://127.0.0.1:8000"


def connect() -> str:
    out = StringIO()
    call_command("connect_stripe", stdout=out)
    return out.getvalue()


def endpoints() -> dict[str, str]:
    """Endpoints at Stripe: their purpose, and their address."""
    listed = stripe_client().v1.webhook_endpoints.list().data
    return {endpoint.metadata["quaestor"]: endpoint.url for endpoint in listed}


def test_connecting_sets_everything_up(stripe: StripeSandbox) -> None:
    """S1, S3, S4: account, catalogue, portal, and an endpoint each for our own events and for Connect's."""
    text = connect()
    assert "1 created" not in text
    assert Account.objects.count() == 1
    assert StripePrice.objects.exists()
    for purpose, events in (("platform", PLATFORM_EVENTS), ("connect", CONNECT_EVENTS)):
        row = WebhookEndpoint.objects.get(url=endpoints()[purpose])
        assert row.url == f"{ORIGIN}/stripe/webhook/{row.djstripe_uuid}/"
        assert row.secret.startswith("whsec_")
        assert row.secret not in text + str(row.stripe_data)
        assert set(row.enabled_events) == set(events)
    assert not APIKey.objects.exists()
    assert TEST_KEY not in text


def test_connecting_again_changes_nothing(stripe: StripeSandbox) -> None:
    """S1: safe at each start."""
    connect()
    before, rows = endpoints(), set(WebhookEndpoint.objects.values_list("id", "secret"))
    text = connect()
    assert "catalogue: 0 created, 0 adopted" in text
    assert "endpoints made" not in text
    assert (endpoints(), set(WebhookEndpoint.objects.values_list("id", "secret"))) == (before, rows)
    assert len(stripe_client().v1.billing_portal.configurations.list().data) == 1


def test_portal_lets_customers_cancel_at_the_end(stripe: StripeSandbox) -> None:
    """S3, P10: cards, invoices and cancelling; plans are changed in the console, where the proration is shown."""
    connect()
    client = stripe_client()
    found = client.v1.billing_portal.configurations.retrieve(portal_configuration_id(client, return_url=ORIGIN))
    features = found.features
    assert (features.payment_method_update.enabled, features.invoice_history.enabled) == (True, True)
    assert (features.subscription_cancel.enabled, features.subscription_cancel.mode) == (True, "at_period_end")
    assert not features.subscription_update.enabled


@pytest.mark.parametrize("lost", ["row", "secret"])
def test_endpoint_whose_secret_is_lost_is_replaced(stripe: StripeSandbox, lost: str) -> None:
    """S4: Stripe shows a secret once, so that only a new endpoint has one that we know."""
    connect()
    before = endpoints()
    if lost == "row":
        WebhookEndpoint.objects.all().delete()
    else:
        WebhookEndpoint.objects.update(secret="")
    assert "2 endpoints made, 2 old ones deleted" in connect()
    assert set(endpoints()) == set(before)
    assert not set(endpoints().values()) & set(before.values())
    assert set(WebhookEndpoint.objects.values_list("url", flat=True)) == set(endpoints().values())


def test_endpoint_that_was_changed_is_put_right(stripe: StripeSandbox) -> None:
    """S4: one that was switched off, or asks for too little, keeps its secret."""
    connect()
    row = WebhookEndpoint.objects.get(url=endpoints()["platform"])
    client = stripe_client()
    client.v1.webhook_endpoints.update(row.id, {"disabled": True, "enabled_events": ["invoice.paid"]})
    connect()
    there = client.v1.webhook_endpoints.retrieve(row.id)
    assert (there.status, set(there.enabled_events)) == ("enabled", set(PLATFORM_EVENTS))


def test_endpoints_of_others_are_left_alone(stripe: StripeSandbox) -> None:
    """S4: another installation on the same Stripe account keeps getting its events."""
    other = stripe_client().v1.webhook_endpoints.create(
        {"url": "https://other.example/stripe/webhook/x/", "enabled_events": ["invoice.paid"]}
    )
    connect()
    assert stripe_client().v1.webhook_endpoints.retrieve(other.id).status == "enabled"


def test_real_stripe_needs_https(stripe: StripeSandbox, settings: Settings) -> None:
    """S4: a desk without https is told how to get events, and no endpoint is made, here or there."""
    del settings.STRIPE_API_HOST
    setup = connect_webhooks(origin=ORIGIN)
    assert f"stripe listen --forward-to {setup.urls[0]}" in setup.advice
    assert not WebhookEndpoint.objects.exists()


def test_listeners_secret_comes_from_the_environment(stripe: StripeSandbox, settings: Settings) -> None:
    """S4: the address stays the same, so that the tool can be started before the secret is known."""
    del settings.STRIPE_API_HOST
    url = connect_webhooks(origin=ORIGIN).urls[0]
    settings.STRIPE_WEBHOOK_SECRET = "whsec_listener"
    assert connect_webhooks(origin=ORIGIN).advice == ""
    row = WebhookEndpoint.objects.get()
    assert (row.url, row.secret) == (url, "whsec_listener")


def test_without_a_key_nothing_happens() -> None:
    """S6: an installation without Stripe starts."""
    assert "payments stay off" in connect()


def test_failure_is_said_in_words(stripe: StripeSandbox, settings: Settings) -> None:
    """S1: no traceback, and no key."""
    settings.STRIPE_SECRET_KEY = "sk_test_short"
    with pytest.raises(CommandError, match="does not know the key"):
        connect()
    settings.STRIPE_SECRET_KEY = TEST_KEY
    stripe.call("POST", "/_sandbox/faults", {"path": "/v1/account", "kind": "timeout", "times": 9})
    with pytest.raises(CommandError, match="cannot be reached"):
        connect()


def test_events_to_enable_are_documented() -> None:
    """S4: whoever makes an endpoint by hand finds each of them."""
    text = (django_settings.BASE_DIR / "docs" / "stripe.md").read_text(encoding="utf-8")
    assert {name for name in (*PLATFORM_EVENTS, *CONNECT_EVENTS) if f"\n{name}\n" not in text} == set()
