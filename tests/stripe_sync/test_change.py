"""Changing a paid plan: what is shown is what is charged."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from billing.core.problems import Problem
from billing.stripe_sync.changes import ChangePreview, Expected, Target
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import ChangeQuote, CheckoutSession
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.preview_change import preview_change
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.queries import governing_agreement, subscription_at
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer, publish_pro
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, charged, look, open_checkout, paid_invoices, plan_of, row_of, subscribed

pytestmark = pytest.mark.django_db
TEAM, BYOK = Target("team", "monthly", "standard", 3), Target("pro", "monthly", "byok")


@pytest.fixture
def account(stripe_catalogue: StripeSandbox) -> BillingAccount:
    """On Pro, monthly, ten days into the period."""
    account = make_customer("free").account
    subscribed(account, stripe_catalogue)
    advance(stripe_catalogue, 10)
    return account


def preview(account: BillingAccount, stripe: StripeSandbox, target: Target) -> ChangePreview:
    return preview_change(account_id=account.id, target=target, at=stripe_now(stripe))


def change(account: BillingAccount, stripe: StripeSandbox, target: Target, expected: Expected | None) -> None:
    at = stripe_now(stripe)
    change_subscription(account_id=account.id, target=target, expected=expected, actor=SYSTEM, at=at)


def refused(account: BillingAccount, stripe: StripeSandbox, target: Target, expected: Expected | None) -> str:
    with pytest.raises(Problem) as problem:
        change(account, stripe, target, expected)
    return problem.value.code


def fault(stripe: StripeSandbox, **more: Any) -> None:
    said = {"method": "POST", "path": "^/v1/subscriptions/", "kind": "lost", "times": 3}
    stripe.call("POST", "/_sandbox/faults", said | more)


def test_upgrade_costs_what_was_shown(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: credit for the unused time, charge for the rest, charged at once to the cent although time goes by."""
    shown = preview(account, stripe, TEAM)
    assert shown.net == shown.charge - shown.credit > 0
    assert (shown.next_amount, shown.price.total) == (87, 87)
    before = charged(account)
    advance(stripe, 1 / 288)  # five minutes to think
    change(account, stripe, TEAM, shown.expected)
    assert Decimal(charged(account) - before) / 100 == shown.net
    assert plan_of(account) == ("team", "monthly", "standard", 3)
    agreement = governing_agreement(account.id)
    assert agreement is not None
    assert agreement.period_end == shown.next_at


def test_share_of_the_period(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: both amounts are the share of the period that is left, each rounded to the cent."""
    shown = preview(account, stripe, TEAM)
    agreement = governing_agreement(account.id)
    assert agreement is not None
    assert shown.proration_at is not None
    whole = agreement.period_end - agreement.period_start
    left = Decimal((agreement.period_end - shown.proration_at) / whole)
    cent = Decimal("0.01")
    assert (shown.credit, shown.charge) == ((9 * left).quantize(cent), (87 * left).quantize(cent))


def test_downgrade_is_credited_on_the_next_invoice(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: nothing is charged now, and the next invoice is lower by what was shown."""
    shown = preview(account, stripe, BYOK)
    assert shown.net < 0
    before = charged(account)
    change(account, stripe, BYOK, shown.expected)
    assert charged(account) == before
    advance(stripe, 25)
    renewal = paid_invoices(account)[-1]
    assert Decimal(renewal.total) / 100 == 5 + shown.net


def test_yearly_begins_a_new_cycle(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: the year is charged at once, less what is unused of the month."""
    target = Target("pro", "yearly", "standard")
    shown = preview(account, stripe, target)
    assert (shown.charge, shown.next_amount) == (90, 90)
    before = charged(account)
    change(account, stripe, target, shown.expected)
    assert Decimal(charged(account) - before) / 100 == shown.net
    agreement = governing_agreement(account.id)
    assert agreement is not None
    assert agreement.interval == "yearly"
    assert (agreement.period_end - agreement.period_start).days in {365, 366}
    assert subscription_at(account.id, stripe_now(stripe)).anchor == agreement.anchor
    assert abs(agreement.period_end - (shown.next_at or agreement.anchor)) < timedelta(minutes=1)


def test_allowances_go_on(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P5: a change within the period keeps the anchor, so that its allowances are not given twice."""
    before = subscription_at(account.id, stripe_now(stripe)).anchor
    change(account, stripe, TEAM, preview(account, stripe, TEAM).expected)
    assert subscription_at(account.id, stripe_now(stripe)).anchor == before


@pytest.mark.parametrize(
    "expected",
    [None, Expected(Decimal("0.01"), AT), Expected(Decimal(0), None)],
    ids=["nothing shown", "made up", "free"],
)
def test_only_what_was_shown(account: BillingAccount, stripe: StripeSandbox, expected: Expected | None) -> None:
    """P10: nobody chooses the amount, or the instant that it is reckoned at."""
    preview(account, stripe, TEAM)
    assert refused(account, stripe, TEAM, expected) == "account-changed"
    assert plan_of(account)[0] == "pro"


def test_old_price_is_shown_anew(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: a confirmation after more than a quarter of an hour."""
    shown = preview(account, stripe, TEAM)
    advance(stripe, 16 / 1440)
    assert refused(account, stripe, TEAM, shown.expected) == "account-changed"


def test_changed_meanwhile(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: somebody else changed the seats since: the amount is not what it was, and nothing is charged."""
    shown = preview(account, stripe, TEAM)
    other = replace(TEAM, seats=2)
    change(account, stripe, other, preview(account, stripe, other).expected)
    before = charged(account)
    assert refused(account, stripe, TEAM, shown.expected) == "account-changed"
    assert (charged(account), plan_of(account)[3]) == (before, 2)


def test_declined_card_changes_nothing(stripe_catalogue: StripeSandbox) -> None:
    """P10: the old plan stays, nothing is owed; with a good card the same change goes through."""
    account = make_customer("free").account
    subscription = subscribed(account, stripe_catalogue)
    customer = str(stripe_client().v1.subscriptions.retrieve(subscription).customer)
    bad = stripe_client().v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    stripe_client().v1.subscriptions.update(subscription, {"default_payment_method": bad.id})
    shown = preview(account, stripe_catalogue, TEAM)
    assert refused(account, stripe_catalogue, TEAM, shown.expected) == "card-declined"
    look(account, stripe_catalogue)
    open_ = stripe_client().v1.invoices.list({"customer": customer, "status": "open"}).data
    assert (plan_of(account)[0], len(open_), charged(account)) == ("pro", 0, 900)
    assert refused(account, stripe_catalogue, TEAM, shown.expected) == "account-changed"
    good = stripe_client().v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    stripe_client().v1.subscriptions.update(subscription, {"default_payment_method": good.id})
    change(account, stripe_catalogue, TEAM, preview(account, stripe_catalogue, TEAM).expected)
    assert plan_of(account)[0] == "team"


def test_confirmed_twice(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: a second click is the same change."""
    shown = preview(account, stripe, TEAM)
    for _ in range(2):
        change(account, stripe, TEAM, shown.expected)
    assert len(paid_invoices(account)) == 2
    assert AuditEvent.objects.filter(action="subscription.changed").count() == 1


@pytest.mark.parametrize("kind", ["lost", "timeout"])
def test_second_capture_while_the_first_is_unknown(account: BillingAccount, stripe: StripeSandbox, kind: str) -> None:
    """P10: Stripe charged but its answer never came, or it never heard of it: confirming again charges once in all."""
    shown = preview(account, stripe, TEAM)
    before = charged(account)
    fault(stripe, kind=kind)
    assert refused(account, stripe, TEAM, shown.expected) == "stripe-unavailable"
    stripe.call("DELETE", "/_sandbox/faults")
    change(account, stripe, TEAM, shown.expected)
    assert Decimal(charged(account) - before) / 100 == shown.net
    assert ChangeQuote.objects.get().state == ChangeQuote.State.MADE


def test_idempotency_key_that_contains_the_time(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: what is sent again later is sent under the same key, so that Stripe answers it without charging again."""
    shown = preview(account, stripe, TEAM)
    before = charged(account)
    fault(stripe)
    assert refused(account, stripe, TEAM, shown.expected) == "stripe-unavailable"
    advance(stripe, 3 / 1440)
    key = f"change:{ChangeQuote.objects.get().id.hex}"
    change(account, stripe, TEAM, shown.expected)
    events = stripe_client().v1.events.list({"type": "customer.subscription.updated", "limit": 100}).data
    keys = [event["request"]["idempotency_key"] for event in events if event["request"]]
    assert keys.count(key) == 1
    assert Decimal(charged(account) - before) / 100 == shown.net


def test_half_done_change_is_found_by_the_next_look(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: a change that Stripe made and we never heard of is taken over by any fresh read."""
    shown = preview(account, stripe, TEAM)
    fault(stripe)
    assert refused(account, stripe, TEAM, shown.expected) == "stripe-unavailable"
    stripe.call("DELETE", "/_sandbox/faults")
    look(account, stripe)
    assert plan_of(account) == ("team", "monthly", "standard", 3)
    change(account, stripe, TEAM, shown.expected)
    assert len(paid_invoices(account)) == 2


def test_open_pages_are_closed(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S2: a page that was opened before the plan was paid elsewhere cannot be paid after the change."""
    shown = preview(account, stripe, TEAM)
    page = row_of_new_page(account, stripe)
    change(account, stripe, TEAM, shown.expected)
    assert stripe_client().v1.checkout.sessions.retrieve(page).status == "expired"


def row_of_new_page(account: BillingAccount, stripe: StripeSandbox) -> str:
    """A page opened while we believed that the account pays for nothing."""
    agreement = governing_agreement(account.id)
    assert agreement is not None
    type(agreement).objects.update(governs=False)
    page = row_of(open_checkout(account)).session_id
    type(agreement).objects.update(governs=True)
    assert CheckoutSession.objects.get(session_id=page).state == "open"
    return page


def test_version_stays_within_the_plan(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P4: switching the variant keeps the version that was subscribed to; a new plan comes in its published one."""
    publish_pro("11.00", agents=25)
    change(account, stripe, BYOK, preview(account, stripe, BYOK).expected)
    subscription = subscription_at(account.id, stripe_now(stripe))
    assert (subscription.plan_version.number, subscription.variant) == (1, "byok")


def test_planned_end_is_taken_back(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: who changes to another paid plan wants to keep it."""
    agreement = governing_agreement(account.id)
    assert agreement is not None
    stripe_client().v1.subscriptions.update(agreement.external_id, {"cancel_at_period_end": True})
    look(account, stripe)
    change(account, stripe, TEAM, preview(account, stripe, TEAM).expected)
    agreement.refresh_from_db()
    assert (agreement.cancel_at, agreement.next_plan_slug) == (None, "")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (Target("no-such", "monthly", "standard"), "not-found"),
        (Target("developer", "yearly", "standard"), "not-found"),
        (Target("enterprise", "monthly", "standard"), "not-found"),
        (Target("team", "monthly", "standard", 10_001), "invalid-request"),
        (Target("pro", "yearly", "standard", 2), "invalid-request"),
        (Target("pro", "monthly", "standard"), "nothing-to-change"),
    ],
)
def test_what_cannot_be_changed_to(account: BillingAccount, stripe: StripeSandbox, target: Target, code: str) -> None:
    """P2, P10: each has its problem, in the preview and in the change."""
    with pytest.raises(Problem) as problem:
        preview(account, stripe, target)
    assert problem.value.code == refused(account, stripe, target, None) == code


def test_change_while_a_payment_is_overdue(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S8: first the open invoice, then the change."""
    agreement = governing_agreement(account.id)
    assert agreement is not None
    type(agreement).objects.update(status="past_due", past_due_since=AT)
    assert refused(account, stripe, TEAM, None) == "card-declined"


def test_stripe_sees_the_breach_of_its_period(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10: a price that was shown before a renewal is not valid after it."""
    advance(stripe, 30 - 10 + 10 / 24)
    shown = preview(account, stripe, TEAM)
    agreement = governing_agreement(account.id)
    assert agreement is not None
    assert shown.proration_at is not None
    ChangeQuote.objects.update(proration_at=shown.proration_at - timedelta(days=60))
    stale = Expected(shown.net, shown.proration_at - timedelta(days=60))
    assert refused(account, stripe, TEAM, stale) == "account-changed"


class TestWithoutStripe:
    """Changes that are ours alone; no Stripe is configured."""

    @pytest.fixture
    def given(self, catalogue: None) -> BillingAccount:
        """On Team by staff's hand, for two seats."""
        account = make_customer("team").account
        Subscription.objects.filter(account=account).update(seats=2)
        return account

    def go(self, account: BillingAccount, target: Target) -> None:
        at = AT + timedelta(days=3)
        change_subscription(account_id=account.id, target=target, expected=None, actor=SYSTEM, at=at)

    def test_free_plan_at_once(self, given: BillingAccount) -> None:
        """P10: without a paid agreement there is nothing to wait for."""
        self.go(given, Target("payg", "monthly", "standard"))
        assert plan_of(given) == ("payg", "monthly", "standard", 1)
        assert AuditEvent.objects.filter(action="plan.changed").count() == 1

    def test_staffs_plan_is_switched_in_place(self, given: BillingAccount) -> None:
        """K11: variant and fewer seats, for nothing; the allowances' period goes on."""
        shown = preview_change(account_id=given.id, target=Target("team", "monthly", "byok", 1), at=AT)
        self.go(given, Target("team", "monthly", "byok", 1))
        assert (shown.net, shown.proration_at, shown.next_at) == (0, None, None)
        assert plan_of(given) == ("team", "monthly", "byok", 1)
        assert subscription_at(given.id, AT + timedelta(days=3)).anchor == AT

    @pytest.mark.parametrize("target", [Target("team", "monthly", "standard", 3), Target("pro", "monthly", "standard")])
    def test_more_has_to_be_paid(self, given: BillingAccount, target: Target) -> None:
        """P10: seats beyond what staff gave, or another paid plan, go through Checkout."""
        with pytest.raises(Problem) as problem:
            self.go(given, target)
        assert problem.value.code == "no-subscription"

    def test_nothing_to_change(self, given: BillingAccount) -> None:
        """P10: the terms that are in force."""
        with pytest.raises(Problem) as problem:
            self.go(given, Target("team", "monthly", "standard", 2))
        assert problem.value.code == "nothing-to-change"


def test_unconfigured(account: BillingAccount, settings: Settings) -> None:
    """S6: a paid plan cannot be changed without Stripe, and says so."""
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(Problem) as problem:
        preview_change(account_id=account.id, target=TEAM, at=AT)
    assert problem.value.code == "stripe-not-configured"


def test_subscription_that_ended_unnoticed(account: BillingAccount, stripe: StripeSandbox) -> None:
    """P10, S4: whose webhook was lost is seen when somebody wants to change it, and the account follows."""
    agreement = governing_agreement(account.id)
    assert agreement is not None
    stripe_client().v1.subscriptions.cancel(agreement.external_id)
    with pytest.raises(Problem) as problem:
        preview(account, stripe, TEAM)
    assert problem.value.code == "account-changed"
    assert plan_of(account)[0] == "free"
