"""A renewal that cannot be charged, from the first failure to the end or the late payment."""

import re

import pytest
from django.core import mail

from billing.invoices.models import Invoice
from billing.notifications.models import Notice
from billing.notifications.services.send_notices import send_notices
from billing.notifications.services.tell_of_agreement import tell_of_overdue_plans
from billing.stripe_sync.client import stripe_client
from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.queries import subscription_at
from billing.subscriptions.services.end_grace import end_grace_periods
from sandbox.stripe.process import StripeSandbox
from tenants.permissions import Role
from tenants.services.add_member import add_member
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, charged, customer_of, look, plan_of, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(stripe_catalogue: StripeSandbox) -> BillingAccount:
    """On Pro, with a card that the renewal just could not be charged to."""
    account = make_customer("free", balance="25").account
    add_member(tenant_id=account.tenant_id, email="owner@example.com", role=Role.OWNER, at=AT, actor=SYSTEM)
    subscription = subscribed(account, stripe_catalogue)
    use_card(account, subscription, "pm_card_chargeCustomerFail")
    renewal = Agreement.objects.get().period_end
    advance(stripe_catalogue, (renewal - stripe_now(stripe_catalogue)).total_seconds() / 86_400 + 1 / 24)
    return account


def use_card(account: BillingAccount, subscription: str, card: str) -> str:
    method = stripe_client().v1.payment_methods.attach(card, {"customer": customer_of(account.id)})
    stripe_client().v1.subscriptions.update(subscription, {"default_payment_method": method.id})
    return method.id


def told() -> list[str]:
    """Of the plan and its payment, not of invoices that are ready."""
    return list(Notice.objects.exclude(kind="invoice-ready").order_by("id").values_list("kind", flat=True))


def overdue(account: BillingAccount, stripe: StripeSandbox, days: float) -> None:
    """Some days later: what events and the periodic work do then."""
    advance(stripe, days)
    at = stripe_now(stripe)
    look(account, stripe)
    end_grace_periods(at=at)
    tell_of_overdue_plans(at=at)


def test_first_failure(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S8: the plan stays; the tenant hears of the amount, the next try and the end of the grace, by e-mail."""
    look(account, stripe)
    assert (Agreement.objects.get().status, plan_of(account)[0]) == ("past_due", "pro")
    assert told() == ["payment-failed", "plan-past-due"]
    assert send_notices(at=stripe_now(stripe)) == 3
    _, failed, late = (message.body for message in mail.outbox)
    document = Invoice.objects.get()
    assert f"invoice {document.number}." in failed
    assert f"/invoices/{document.id}" in failed
    assert "9.00 USD could not be charged" in failed
    assert re.search(r"The next try is on \d\d \w+ \d{4}, \d\d:\d\d UTC", failed)
    assert "You keep the plan until" in late


def test_all_the_way_down(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S8: retry, grace over, retry, the end: each told once, the free plan from the end of the grace on."""
    look(account, stripe)
    overdue(account, stripe, 3.1)
    assert plan_of(account)[0] == "pro"
    assert told() == ["payment-failed", "plan-past-due", "payment-retry-failed"]
    overdue(account, stripe, 4)
    assert plan_of(account)[0] == "free"
    assert told()[3:] == ["plan-downgraded"]
    overdue(account, stripe, 2)
    overdue(account, stripe, 7)
    assert told()[4:] == ["payment-retry-failed", "payment-retry-failed", "plan-ended"]
    assert "will not be tried again" in Notice.objects.filter(kind="payment-retry-failed").latest("id").body
    assert (Agreement.objects.get().status, plan_of(account)[0], charged(account)) == ("canceled", "free", 900)


def test_late_payment(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S8: with another card the invoice is paid, and the plan is back although the grace was over."""
    look(account, stripe)
    overdue(account, stripe, 7.5)
    assert plan_of(account)[0] == "free"
    method = use_card(account, Agreement.objects.get().external_id, "pm_card_visa")
    (invoice,) = stripe_client().v1.invoices.list({"customer": customer_of(account.id), "status": "open"}).data
    stripe_client().v1.invoices.pay(invoice.id, {"payment_method": method})
    look(account, stripe)
    assert (plan_of(account)[0], charged(account)) == ("pro", 1800)
    assert told()[-1] == "plan-restored"


def test_nothing_is_told_twice(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S8: the same facts, looked at again and again."""
    for _ in range(3):
        look(account, stripe)
    assert told() == ["payment-failed", "plan-past-due"]


def test_rollover_lost_at_renewal(stripe_catalogue: StripeSandbox) -> None:
    """P5: a renewal begins a new period of allowances exactly where the old one ends, and leaves the credits alone."""
    account = make_customer("free", balance="25").account
    subscribed(account, stripe_catalogue)
    before = Agreement.objects.get()
    advance(stripe_catalogue, 32)
    look(account, stripe_catalogue)
    after = Agreement.objects.get()
    account.credits.refresh_from_db()
    assert (after.period_start, after.anchor) == (before.period_end, before.anchor)
    assert subscription_at(account.id, stripe_now(stripe_catalogue)).agreement == after
    assert (account.credits.available, charged(account)) == (25, 1800)
    assert told() == []
