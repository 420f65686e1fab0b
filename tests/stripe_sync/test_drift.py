"""The drift report, its repair, and the hourly comparison."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import stripe as sdk

from billing.credits.models import TopUp
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import (
    CheckoutSession,
    DriftFinding,
    InboxEvent,
    InvoiceSettlement,
    StripeCustomer,
    StripePrice,
)
from billing.stripe_sync.services.find_catalogue_drift import find_catalogue_drift
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.open_plan_checkout import open_plan_checkout
from billing.stripe_sync.services.reconcile import Reconciled, reconcile
from billing.stripe_sync.services.recover_events import recover_events
from billing.stripe_sync.services.repair_drift import repair_drift
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, Customer, make_customer
from tests.stripe_sync.metered import call, make_subscriber, tell
from tests.stripe_sync.paying import DISPUTED, VISA, open_purchase, press_pay, refund, session_of, stripe_now
from tests.stripe_sync.plans import advance, look

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1)
RETURN = "http://127.0.0.1:8000/plans"
"""Where the page sends people back to."""


@pytest.fixture
def paid(stripe_catalogue: StripeSandbox) -> Customer:
    """A customer on Pro, in step with Stripe."""
    customer = make_customer("free")
    sync_checkout(session_id=pay(stripe_catalogue, customer), at=AT)
    assert repair_drift(account_id=customer.account.id, at=AT) == []  # the invoice
    assert plan(customer) == "pro"
    return customer


def pay(stripe: StripeSandbox, customer: Customer) -> str:
    """Check out for Pro with the card that works, unnoticed by us."""
    open_plan_checkout(
        account_id=customer.account.id,
        plan_slug="pro",
        interval="monthly",
        variant="standard",
        seats=1,
        success_url=RETURN,
        cancel_url=RETURN,
        idempotency_key="",
        at=AT,
    )
    session = CheckoutSession.objects.get(account=customer.account).session_id
    stripe.call("POST", f"/_sandbox/checkout/{session}", {"card": "4242424242424242"})
    return session


def plan(customer: Customer) -> str:
    present = latest_subscription(customer.account.id)
    assert present is not None
    return present.plan_version.plan.slug


def subscription() -> sdk.Subscription:
    return stripe_client().v1.subscriptions.list({"status": "all"}).data[0]


def found(account_id: UUID) -> set[tuple[str, str]]:
    return {(row.kind, row.field) for row in find_drift(account_id=account_id, at=LATER)}


def test_nothing_differs(paid: Customer) -> None:
    """S5: in step is an empty report."""
    assert find_drift(account_id=paid.account.id, at=LATER) == []
    assert find_catalogue_drift(at=LATER) == []
    assert find_drift(account_id=make_customer("free").account.id, at=LATER) == []


def test_subscription_we_never_heard_of_is_found_and_taken_over(stripe_catalogue: StripeSandbox) -> None:
    """S5: paid, and the webhook was lost."""
    customer = make_customer("free")
    session = pay(stripe_catalogue, customer)
    assert found(customer.account.id) == {
        ("subscription", "presence"),
        ("checkout", "state"),
        ("invoice", "without document"),
    }
    rows = {(row.kind, row.object_id, row.theirs, row.ours) for row in DriftFinding.objects.all()}
    assert ("subscription", subscription().id, "active", "missing") in rows
    assert ("checkout", session, "complete", "open") in rows
    assert plan(customer) == "free"
    assert repair_drift(account_id=customer.account.id, at=LATER) == []
    assert plan(customer) == "pro"
    assert set(DriftFinding.objects.values_list("repaired_at", flat=True)) == {LATER}


def test_finding_is_one_row_until_it_is_gone(paid: Customer) -> None:
    """S5: looking again moves the time when it was last there; what comes back is another finding."""
    Agreement.objects.update(seats=3)
    for _ in range(2):
        assert found(paid.account.id) >= {("subscription", "seats")}
    row = DriftFinding.objects.get(field="seats")
    assert (row.theirs, row.ours, row.account_id) == ("1", "3", paid.account.id)
    Agreement.objects.update(seats=1)
    assert found(paid.account.id) == set()
    Agreement.objects.update(seats=3)
    found(paid.account.id)
    assert DriftFinding.objects.filter(field="seats").count() == 2


def test_changes_at_stripe_are_found(paid: Customer) -> None:
    """S5: cancelled by hand in the dashboard."""
    stripe_client().v1.subscriptions.update(subscription().id, {"cancel_at_period_end": True})
    assert found(paid.account.id) == {("subscription", "cancel at")}
    repair_drift(account_id=paid.account.id, at=LATER)
    assert Agreement.objects.get().cancel_at is not None
    assert found(paid.account.id) == set()


def test_end_at_stripe_is_found(paid: Customer) -> None:
    """S5: one that ended there gives no plan here."""
    stripe_client().v1.subscriptions.cancel(subscription().id)
    assert ("subscription", "status") in found(paid.account.id)
    assert repair_drift(account_id=paid.account.id, at=LATER) == []
    assert plan(paid) == "free"


def test_plan_that_does_not_follow_is_found(paid: Customer) -> None:
    """S5: what the account is on, against what it pays for."""
    Agreement.objects.update(governs=False)
    assert found(paid.account.id) == {("plan", "terms")}
    assert repair_drift(account_id=paid.account.id, at=LATER) == []


def test_price_that_is_not_ours_is_found(paid: Customer) -> None:
    """S5: a person must decide what somebody put on the subscription by hand; it stays on the report."""
    client, item = stripe_client(), subscription()["items"].data[0]
    foreign = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 5, "recurring": {"interval": "month"}, "product_data": {"name": "X"}}
    )
    client.v1.subscription_items.update(item.id, {"price": foreign.id, "proration_behavior": "none"})
    assert ("subscription", "price") in found(paid.account.id)
    assert [row.field for row in repair_drift(account_id=paid.account.id, at=LATER)] == ["price"]


def test_deleted_customer_is_found(paid: Customer) -> None:
    """S5: deleted in the dashboard: its subscription ended with it."""
    customer = StripeCustomer.objects.get()
    stripe_client().v1.customers.delete(customer.customer_id)
    assert {("customer", "presence"), ("subscription", "presence")} <= found(paid.account.id)
    assert repair_drift(account_id=paid.account.id, at=LATER) == []
    customer.refresh_from_db()
    assert (customer.deleted_at, plan(paid)) == (LATER, "free")


def test_other_default_card_is_found(paid: Customer) -> None:
    """S5, I3: chosen in the portal, and the webhook was lost."""
    client, customer = stripe_client(), StripeCustomer.objects.get().customer_id
    card = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": card.id}})
    assert found(paid.account.id) == {("customer", "default card")}
    assert repair_drift(account_id=paid.account.id, at=LATER) == []


def test_paid_credits_that_were_not_given_are_found(stripe_catalogue: StripeSandbox) -> None:
    """S5, M4: and given."""
    account = make_customer("free").account
    press_pay(stripe_catalogue, open_purchase(account, stripe_catalogue))
    assert {("credits", "credited"), ("checkout", "state")} <= found(account.id)
    assert repair_drift(account_id=account.id, at=LATER) == []
    assert TopUp.objects.get().state == "credited"


def test_refund_and_dispute_we_never_heard_of_are_found(stripe_catalogue: StripeSandbox) -> None:
    """S5, M4: what was given back is taken back, whatever was lost."""
    account = make_customer("free").account
    for card in (VISA, DISPUTED):
        opened = open_purchase(account, stripe_catalogue)
        charge = press_pay(stripe_catalogue, opened, card=card)
        sync_checkout(session_id=session_of(opened), at=AT)
        if card == VISA:
            refund(charge, 1050)
    rows = find_drift(account_id=account.id, at=LATER)
    assert {(row.kind, row.field, row.theirs, row.ours.rstrip("0")) for row in rows} == {
        ("payment", "taken back", "10.00", "0."),
        ("payment", "taken back", "20.00", "0."),
    }
    assert repair_drift(account_id=account.id, at=LATER) == []
    assert sorted(TopUp.objects.values_list("taken_back", flat=True)) == [10, 20]


def test_paid_invoice_that_settled_nothing_is_found(stripe_catalogue: StripeSandbox) -> None:
    """S5, S7: and settled."""
    customer = make_subscriber(stripe_catalogue)
    call(customer, stripe_catalogue, "100")
    tell(stripe_catalogue)
    advance(stripe_catalogue, 32)
    look(customer.account, stripe_catalogue)
    assert ("invoice", "settled") in found(customer.account.id)
    assert repair_drift(account_id=customer.account.id, at=stripe_now(stripe_catalogue)) == []
    assert InvoiceSettlement.objects.get().settled == Decimal("1.8")


def test_catalogue_is_compared(stripe_catalogue: StripeSandbox) -> None:
    """S5: prices that are archived, gone, or of another amount, until the catalogue is pushed again."""
    client = stripe_client()
    keys = [f"quaestor:pro:v1:{rest}" for rest in ("monthly:standard", "monthly:byok", "yearly:standard")]
    archived, gone = (StripePrice.objects.get(lookup_key=key).price_id for key in keys[:2])
    client.v1.prices.update(archived, {"active": False})
    client.v1.prices.update(gone, {"lookup_key": "taken"})
    wrong: Any = {
        "product": "quaestor_pro",
        "currency": "usd",
        "unit_amount": 1,
        "recurring": {"interval": "year"},
        "lookup_key": keys[2],
        "transfer_lookup_key": True,
    }
    client.v1.prices.create(wrong)
    assert {(row.object_id, row.field, row.theirs, row.ours) for row in find_catalogue_drift(at=AT)} == {
        (keys[0], "active", "archived", "for sale"),
        (keys[1], "presence", "missing", "for sale"),
        (keys[2], "amount", "1 usd", "9000 usd"),
    }
    assert reconcile(at=LATER) == Reconciled()
    assert not DriftFinding.objects.filter(repaired_at=None).exists()


def test_reconcile_repairs_after_lost_webhooks(stripe_catalogue: StripeSandbox) -> None:
    """S5: one run later nothing differs, without one webhook."""
    customers = [make_customer("free") for _ in range(2)]
    for customer in customers:
        pay(stripe_catalogue, customer)
    result = reconcile(at=LATER)
    assert (result.accounts, result.drifted, result.repaired, result.failed) == (2, 2, 2, 0)
    assert [plan(customer) for customer in customers] == ["pro", "pro"]
    assert reconcile(at=LATER).drifted == 0


def test_looking_repairs_nothing(stripe_catalogue: StripeSandbox) -> None:
    """S5: staff may look first."""
    customer = make_customer("free")
    pay(stripe_catalogue, customer)
    result = reconcile(at=LATER, repair=False)
    assert (result.drifted, result.repaired, plan(customer)) == (1, 0, "free")
    assert not InboxEvent.objects.exists()


def test_lost_events_are_fetched(paid: Customer, stripe: StripeSandbox) -> None:
    """S4, S5: what never came is put into the inbox, once."""
    at = stripe_now(stripe)
    assert recover_events(at=at) > 0
    assert InboxEvent.objects.filter(type="customer.subscription.created").count() == 1
    assert recover_events(at=at) == 0


def test_one_account_that_fails_does_not_stop_the_others(stripe_catalogue: StripeSandbox) -> None:
    """S5: but an outage stops the run."""
    customers = [make_customer("free") for _ in range(2)]
    for customer in customers:
        pay(stripe_catalogue, customer)
    first = StripeCustomer.objects.order_by("synced_at", "account_id")[0].customer_id
    path = f"/v1/customers/{first}$"
    stripe_catalogue.call("POST", "/_sandbox/faults", {"path": path, "kind": "status", "status": 400, "times": 1})
    result = reconcile(at=LATER)
    assert (result.accounts, result.failed, result.repaired) == (2, 1, 1)
    stripe_catalogue.call("POST", "/_sandbox/faults", {"path": path, "kind": "status", "status": 500, "times": 9})
    with pytest.raises(sdk.StripeError):
        reconcile(at=LATER)
