"""The switch between our provider keys and the tenant's own."""

from decimal import Decimal

import pytest
import stripe as stripe_sdk

from billing.core.problems import Problem
from billing.plans.models import PlanVersion
from billing.stripe_sync.changes import Toggled
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.toggle_byok import toggle_byok
from billing.subscriptions.models import Agreement, BillingAccount
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import Actor
from tests.make import AT, make_customer
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, charged, customer_of, plan_of, subscribed

pytestmark = pytest.mark.django_db


def toggle(account: BillingAccount, stripe: StripeSandbox, *, enabled: bool) -> Toggled:
    return toggle_byok(account_id=account.id, enabled=enabled, actor=Actor(), at=stripe_now(stripe))


def refusal(account: BillingAccount) -> str:
    with pytest.raises(Problem) as problem:
        toggle_byok(account_id=account.id, enabled=True, actor=Actor(), at=AT)
    return problem.value.code


def test_price_is_switched_and_back(stripe_catalogue: StripeSandbox) -> None:
    """K11: the subscription's price, prorated both ways; a switch there and back at one instant costs nothing."""
    account = make_customer("free").account
    subscribed(account, stripe_catalogue, "team", seats=2)
    advance(stripe_catalogue, 15)
    on = toggle(account, stripe_catalogue, enabled=True)
    assert (on.enabled, on.price.amount, on.price.total) == (True, 19, 38)
    assert on.proration.net < 0
    assert plan_of(account) == ("team", "monthly", "byok", 2)
    assert BillingAccount.objects.get(id=account.id).own_keys
    price = stripe_client().v1.subscriptions.retrieve(Agreement.objects.get().external_id)["items"].data[0].price
    assert price.lookup_key == "quaestor:team:v1:monthly:byok"
    off = toggle(account, stripe_catalogue, enabled=False)
    assert plan_of(account)[2] == "standard"
    assert not BillingAccount.objects.get(id=account.id).own_keys
    assert abs(off.proration.net) <= Decimal("0.01")
    assert charged(account) in {5800, 5801}
    assert AuditEvent.objects.filter(action="subscription.changed").count() == 2


def test_figures_are_of_one_switch(stripe_catalogue: StripeSandbox) -> None:
    """K11: credit and charge are the lines that the switch makes at Stripe; what earlier ones left is told apart."""
    account = make_customer("free").account
    subscribed(account, stripe_catalogue)
    advance(stripe_catalogue, 10)
    waiting = Decimal(0)
    for number, days in enumerate((0, 0, 1, 0, 0.5)):
        advance(stripe_catalogue, days)
        before = {item.id for item in invoice_items(account)}
        cost = toggle(account, stripe_catalogue, enabled=number % 2 == 0).proration
        made = [Decimal(item.amount) / 100 for item in invoice_items(account) if item.id not in before]
        assert cost.credit == -sum(amount for amount in made if amount < 0) > 0
        assert cost.charge == sum(amount for amount in made if amount > 0) > 0
        assert cost.pending == waiting
        assert cost.net == cost.charge - cost.credit + cost.pending
        waiting = min(cost.net, Decimal(0))


def invoice_items(account: BillingAccount) -> list[stripe_sdk.InvoiceItem]:
    """What changes came to, whether an invoice has it yet or not."""
    return list(stripe_client().v1.invoice_items.list({"customer": customer_of(account.id), "limit": 100}).data)


def test_switching_to_where_it_stands(stripe_catalogue: StripeSandbox) -> None:
    """K11: the same switch again changes nothing and costs nothing."""
    account = make_customer("free").account
    subscribed(account, stripe_catalogue)
    same = toggle(account, stripe_catalogue, enabled=False)
    assert (same.enabled, same.proration.net, same.price.amount) == (False, 0, 9)
    assert AuditEvent.objects.filter(action="subscription.changed").count() == 0


@pytest.mark.parametrize("plan", ["free", "payg", "pro"])
def test_without_a_paid_agreement(catalogue: None, plan: str) -> None:
    """K11: a free plan, or one that staff gave, is switched here and needs no Stripe."""
    account = make_customer(plan).account
    toggled = toggle_byok(account_id=account.id, enabled=True, actor=Actor(), at=AT)
    assert (toggled.enabled, toggled.proration.net, plan_of(account)[2]) == (True, 0, "byok")


@pytest.mark.parametrize("plan", ["free", "team"])
def test_switch_follows_though_no_price_changes(catalogue: None, plan: str) -> None:
    """K11: off and on again on the price that the account is on already; each real change is in the audit log once."""
    account = make_customer(plan).account
    for enabled in (False, False, True, True):
        toggle_byok(account_id=account.id, enabled=enabled, actor=Actor(), at=AT)
        assert BillingAccount.objects.get(id=account.id).own_keys is enabled
    switches = AuditEvent.objects.filter(action="own_keys.switched").order_by("id")
    assert [line.detail for line in switches] == [{"enabled": False}, {"enabled": True}]


def test_refused_toggle_switches_nothing(catalogue: None) -> None:
    """K11: a plan without the price keeps its accounts as they are."""
    account = make_customer("developer").account
    BillingAccount.objects.filter(id=account.id).update(own_keys=False)
    assert refusal(account) == "plan-without-byok"
    assert not BillingAccount.objects.get(id=account.id).own_keys


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ("starter", "plan-without-byok"),
        ("developer", "plan-without-byok"),
        ("enterprise", "plan-without-byok"),
        ("platform-growth", "nothing-to-change"),
    ],
)
def test_plan_without_a_switch(catalogue: None, plan: str, code: str) -> None:
    """K11: where the plan has no such price, or only own keys."""
    assert refusal(make_customer(plan).account) == code


def test_byok_only_plans_are_known(catalogue: None) -> None:
    """K11: the plans of the platform fee are what is meant by that."""
    only = PlanVersion.objects.filter(credential_policy="byok_only").values_list("plan__catalogue", flat=True)
    assert set(only) == {"platform"}
