"""What an account can be put on."""

from datetime import timedelta

import pytest

from billing.plans.models import PlanPrice
from billing.subscriptions.errors import ChangeAhead, UnknownPlan
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import subscription_at
from billing.subscriptions.services.subscribe import subscribe
from tests.make import AT, make_account, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
LATER = AT + timedelta(hours=1)
MONTHLY, YEARLY = PlanPrice.Interval
STANDARD, BYOK = PlanPrice.Variant


@pytest.mark.parametrize(
    ("plan", "interval", "variant"),
    [
        ("no-such-plan", MONTHLY, STANDARD),
        ("platform-scale", MONTHLY, BYOK),
        ("developer", YEARLY, STANDARD),
        ("starter", MONTHLY, BYOK),
    ],
)
def test_what_has_no_price_is_refused(plan: str, interval: PlanPrice.Interval, variant: PlanPrice.Variant) -> None:
    """P2: an account is never on terms that nobody has set a price for."""
    account = make_account(make_tenant())
    with pytest.raises(UnknownPlan):
        subscribe(account_id=account.id, plan_slug=plan, at=LATER, interval=interval, variant=variant)
    assert subscription_at(account.id, LATER).plan_version.plan.slug == "payg"


@pytest.mark.parametrize(
    ("plan", "interval", "variant"),
    [("pro", YEARLY, BYOK), ("payg", YEARLY, STANDARD), ("free", YEARLY, BYOK), ("enterprise", YEARLY, BYOK)],
)
def test_what_is_offered(plan: str, interval: PlanPrice.Interval, variant: PlanPrice.Variant) -> None:
    """P2: a price in the list, no price at all to pay, or one that is agreed with the customer."""
    account = make_account(make_tenant(), "starter")
    made = subscribe(account_id=account.id, plan_slug=plan, at=LATER, interval=interval, variant=variant)
    assert (made.plan_version.plan.slug, made.interval, made.variant) == (plan, interval, variant)


def test_no_seat_is_refused() -> None:
    """P2: a subscription has one seat or more."""
    account = make_account(make_tenant())
    with pytest.raises(ValueError, match="one seat or more"):
        subscribe(account_id=account.id, plan_slug="team", at=LATER, seats=0)


def test_change_that_is_ahead_is_not_run_into() -> None:
    """P10: an account never has two plans at an instant; what begins later is named."""
    account = make_account(make_tenant())
    subscribe(account_id=account.id, plan_slug="pro", at=LATER)
    with pytest.raises(ChangeAhead, match=r"Pro v1 on 2026-03-10 13:00 UTC"):
        subscribe(account_id=account.id, plan_slug="team", at=AT + timedelta(minutes=1))
    assert Subscription.objects.filter(account=account).count() == 2
