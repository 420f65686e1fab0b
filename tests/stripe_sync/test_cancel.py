"""Ending a paid plan with its period, and taking that back."""

from functools import partial

import pytest

from billing.core.problems import Problem
from billing.notifications.models import Notice
from billing.stripe_sync.changes import Target
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.cancel_subscription import cancel_subscription
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.preview_change import preview_change
from billing.stripe_sync.services.resume_subscription import resume_subscription
from billing.subscriptions.models import Agreement, BillingAccount
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, charged, look, plan_of, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(stripe_catalogue: StripeSandbox) -> BillingAccount:
    account = make_customer("starter").account
    subscribed(account, stripe_catalogue)
    return account


def cancel(account: BillingAccount, stripe: StripeSandbox, then: str = "") -> None:
    cancel_subscription(account_id=account.id, next_plan_slug=then, actor=SYSTEM, at=stripe_now(stripe))


def resume(account: BillingAccount, stripe: StripeSandbox) -> None:
    resume_subscription(account_id=account.id, actor=SYSTEM, at=stripe_now(stripe))


@pytest.mark.parametrize(("chosen", "then"), [("", "free"), ("payg", "payg")])
def test_plan_ends_with_its_period(account: BillingAccount, stripe: StripeSandbox, chosen: str, then: str) -> None:
    """P10: everything stays until the period's end, then the chosen free plan; nothing more is charged."""
    cancel(account, stripe, chosen)
    agreement = Agreement.objects.get()
    assert (agreement.cancel_at, agreement.next_plan_slug) == (agreement.period_end, chosen)
    advance(stripe, 27)
    look(account, stripe)
    assert plan_of(account)[0] == "pro"
    advance(stripe, 5)
    look(account, stripe)
    assert plan_of(account)[0] == then
    assert charged(account) == 900
    assert AuditEvent.objects.filter(action="subscription.cancelled").count() == 1
    assert list(Notice.objects.order_by("id").values_list("kind", flat=True)) == ["plan-cancelled", "plan-ended"]


def test_yearly_plan_ends_with_its_year(stripe_catalogue: StripeSandbox) -> None:
    """P10: the meters beside it are monthly; the plan's own end is meant."""
    account = make_customer("free").account
    subscribed(account, stripe_catalogue, interval="yearly")
    cancel(account, stripe_catalogue)
    agreement = Agreement.objects.get()
    assert agreement.cancel_at == agreement.period_end
    assert (agreement.period_end - agreement.period_start).days in {365, 366}
    resume(account, stripe_catalogue)
    assert Agreement.objects.get().cancel_at is None


def test_resumed_plan_renews(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: a cancellation is taken back until the plan has ended."""
    cancel(account, stripe, "payg")
    resume(account, stripe)
    agreement = Agreement.objects.get()
    assert (agreement.cancel_at, agreement.next_plan_slug) == (None, "")
    advance(stripe, 32)
    look(account, stripe)
    assert (plan_of(account)[0], charged(account)) == ("pro", 1800)
    with pytest.raises(Problem) as problem:
        resume(account, stripe)
    assert problem.value.code == "nothing-to-change"
    kinds = Notice.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["plan-cancelled", "plan-resumed"]


def test_cancelling_again_only_changes_what_follows(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: a second click does nothing; another plan to follow is taken over."""
    for then in ("", "", "payg"):
        cancel(account, stripe, then)
    assert Agreement.objects.get().next_plan_slug == "payg"
    assert AuditEvent.objects.filter(action="subscription.cancelled").count() == 2


def test_free_target_is_a_cancellation(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: changing to a free plan shows when, costs nothing, and ends the paid one with its period."""
    target, at = Target("payg", "monthly", "standard"), stripe_now(stripe)
    shown = preview_change(account_id=account.id, target=target, at=at)
    assert (shown.net, shown.next_amount, shown.next_at) == (0, 0, Agreement.objects.get().period_end)
    change_subscription(account_id=account.id, target=target, expected=None, actor=SYSTEM, at=at)
    assert Agreement.objects.get().next_plan_slug == "payg"
    with pytest.raises(Problem) as problem:
        preview_change(account_id=account.id, target=target, at=at)
    assert problem.value.code == "nothing-to-change"


@pytest.mark.parametrize(
    ("then", "code"), [("pro", "invalid-request"), ("no-such", "not-found"), ("enterprise", "not-found")]
)
def test_only_a_free_plan_follows(account: BillingAccount, stripe: StripeSandbox, then: str, code: str) -> None:
    """P10: what follows costs nothing."""
    with pytest.raises(Problem) as problem:
        cancel(account, stripe, then)
    assert problem.value.code == code
    assert Agreement.objects.get().cancel_at is None


def test_nothing_to_cancel(catalogue: None) -> None:
    """P10: without a paid agreement, and without a Stripe, the answer is the same."""
    account = make_customer("team").account
    for attempt in (
        partial(cancel_subscription, next_plan_slug=""),
        resume_subscription,
    ):
        with pytest.raises(Problem) as problem:
            attempt(account_id=account.id, actor=SYSTEM, at=AT)
        assert problem.value.code == "no-subscription"


def test_ended_at_stripe_meanwhile(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: cancelling what has ended already ends in what is so."""
    stripe_client().v1.subscriptions.cancel(Agreement.objects.get().external_id)
    cancel(account, stripe)
    assert plan_of(account)[0] == "free"


def test_stripe_in_trouble(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: the tenant is told; nothing is half done, and a second try works."""
    fault = {"method": "POST", "path": "^/v1/subscriptions/", "kind": "status", "status": 500, "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)
    with pytest.raises(Problem) as problem:
        cancel(account, stripe)
    assert problem.value.code == "stripe-unavailable"
    assert AuditEvent.objects.filter(action="subscription.cancelled").count() == 0
    stripe.call("DELETE", "/_sandbox/faults")
    cancel(account, stripe)
    assert Agreement.objects.get().cancel_at is not None
