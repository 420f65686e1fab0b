"""What may happen to an event between Stripe and us, told by the state that it ends in."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from django.db import transaction
from django.test import Client

from billing.credits.models import Grant, Transfer
from billing.stripe_sync import handlers
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import InboxEvent
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.replay_event import replay_event
from billing.stripe_sync.services.work_inbox import work_inbox
from billing.subscriptions.models import BillingAccount
from sandbox.stripe.process import StripeSandbox
from tests.make import make_customer
from tests.stripe_sync.paying import open_purchase, press_pay, stripe_now
from tests.stripe_sync.plans import advance, customer_of, open_checkout, pay, plan_of
from tests.stripe_sync.webhooks import deliver, deliveries, hold_webhooks

pytestmark = pytest.mark.django_db
LEASE = timedelta(minutes=6)


@pytest.fixture
def stripe_held(stripe_catalogue: StripeSandbox) -> StripeSandbox:
    """Webhooks go where the test takes them."""
    hold_webhooks(stripe_catalogue)
    return stripe_catalogue


@pytest.fixture
def account(stripe_held: StripeSandbox) -> BillingAccount:
    return make_customer("free").account


def soon(stripe: StripeSandbox) -> datetime:
    """Stripe's time, once what has just come is due: Stripe's counts whole seconds."""
    return stripe_now(stripe) + timedelta(seconds=2)


def hear(client: Client, stripe: StripeSandbox, *types: str) -> None:
    """These events come, all of them where none is named, in this order, and each is worked on at once."""
    held = deliveries(stripe)
    for type_ in types or [delivery.type for delivery in held]:
        for delivery in [delivery for delivery in held if delivery.type == type_]:
            assert deliver(client, delivery).status_code == 200
            work_inbox(at=soon(stripe))


def test_webhooks_in_every_order(client: Client, stripe_held: StripeSandbox, account: BillingAccount) -> None:
    """S4: paid, then changed: whatever comes first, and whether each is worked on at once, the end is the same."""
    subscription = pay(stripe_held, open_checkout(account))
    stripe_client().v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    types = ("checkout.session.completed", "customer.subscription.created", "customer.subscription.updated")
    for order in permutations(types):
        with transaction.atomic():
            hear(client, stripe_held, *order, "invoice.paid")
            assert plan_of(account) == ("pro", "monthly", "standard", 1)
            assert find_drift(account_id=account.id, at=stripe_now(stripe_held)) == []
            assert set(InboxEvent.objects.values_list("state", flat=True)) == {"done"}
            transaction.set_rollback(True)


def test_event_for_an_object_deleted_since(client: Client, stripe_held: StripeSandbox, account: BillingAccount) -> None:
    """S4: what is told of is gone by the time it is read: done, not an error, and the state is Stripe's."""
    pay(stripe_held, open_checkout(account))
    stripe_client().v1.customers.delete(customer_of(account.id))
    hear(client, stripe_held)
    assert plan_of(account)[0] == "free"
    assert not InboxEvent.objects.filter(state__in=["pending", "failed"]).exists()
    assert find_drift(account_id=account.id, at=stripe_now(stripe_held)) == []


def test_webhook_replayed_after_a_year(client: Client, stripe_held: StripeSandbox, account: BillingAccount) -> None:
    """S4: the news of a subscription that has ended long ago brings it back for nobody."""
    subscription = pay(stripe_held, open_checkout(account))
    hear(client, stripe_held, "customer.subscription.created", "invoice.paid")
    assert plan_of(account)[0] == "pro"
    stripe_client().v1.subscriptions.cancel(subscription)
    advance(stripe_held, 366)
    hear(client, stripe_held, "customer.subscription.deleted")
    assert plan_of(account)[0] == "free"
    old = InboxEvent.objects.get(type="customer.subscription.created")
    replay_event(event_id=old.id, at=stripe_now(stripe_held))
    assert work_inbox(at=soon(stripe_held)) == 1
    hear(client, stripe_held, "customer.subscription.created", "checkout.session.completed")
    assert plan_of(account)[0] == "free"
    assert find_drift(account_id=account.id, at=stripe_now(stripe_held)) == []


@pytest.mark.parametrize("is_committed", [True, False], ids=["after the commit", "before it"])
def test_crash_mid_handler_duplicates_lines(
    client: Client,
    stripe_held: StripeSandbox,
    account: BillingAccount,
    monkeypatch: pytest.MonkeyPatch,
    is_committed: bool,
) -> None:
    """S4, M4: a worker that dies with the credits given, or half given, leaves them given once."""
    press_pay(stripe_held, open_purchase(account, stripe_held))
    usual = handlers.READERS["checkout.session"]

    def crash(key: str, at: datetime) -> bool:
        with transaction.atomic():
            usual(key, at)
            if not is_committed:
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setitem(handlers.READERS, "checkout.session", crash)
        with pytest.raises(KeyboardInterrupt):
            hear(client, stripe_held, "checkout.session.completed")
    assert Grant.objects.count() == int(is_committed)
    assert work_inbox(at=stripe_now(stripe_held) + LEASE) == 1
    hear(client, stripe_held)
    account.credits.refresh_from_db()
    assert (Grant.objects.count(), account.credits.balance) == (1, 20)
    assert Transfer.objects.count() == 2


def test_dedup_key_claimed_before_the_write_loses_the_event(
    client: Client, stripe_held: StripeSandbox, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: an event that is known but was never applied is not taken for a repetition."""
    pay(stripe_held, open_checkout(account))

    def fail(key: str, at: datetime) -> bool:
        raise ValueError("Not today.")

    with monkeypatch.context() as broken:
        broken.setitem(handlers.READERS, "customer", fail)
        hear(client, stripe_held, "customer.subscription.created")
    assert plan_of(account)[0] == "free"
    deliver(client, deliveries(stripe_held, type_="customer.subscription.created")[0])
    event = InboxEvent.objects.get()
    assert (event.state, event.deliveries) == ("pending", 2)
    assert work_inbox(at=event.due_at) == 1
    assert plan_of(account)[0] == "pro"
