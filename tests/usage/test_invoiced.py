"""What usage that goes on the invoice comes to."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.credits.services.settle_receivable import settle_receivable
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.invoiced import invoiced_costs
from billing.usage.models import UsageEvent
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import event, money_of, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DAY = timedelta(days=1)


def costs(customer: Customer) -> dict[str, str]:
    """By product, over all periods since the sign-up."""
    found = invoiced_costs(account_id=customer.account.id, since=AT - 40 * DAY)
    return {product: f"{cost.normalize():f}" for (_, product), cost in found.items()}


def test_metered_products_alone() -> None:
    """S7: model usage is covered by the plan; folded or not, the sums are exact."""
    customer = make_customer("pro")
    report(customer, event(), event(product="pstn", quantity="100"), event(product="callbacks", quantity="101"))
    assert costs(customer) == {"callbacks": "0.004", "pstn": "1.8"}
    flush_all_rollups()
    report(customer, event(product="pstn", quantity="1"))
    assert costs(customer) == {"callbacks": "0.004", "pstn": "1.818"}
    assert money_of(customer.account)[2] == "1.822"


def test_periods_that_began_before_are_left_out() -> None:
    """S7: an agreement's usage is that of its own periods."""
    customer = make_customer("pro")
    report(customer, event(product="pstn", quantity="100"))
    assert invoiced_costs(account_id=customer.account.id, since=AT + DAY) == {}


def test_usage_that_credits_paid_is_left_out() -> None:
    """S7: an account that was on credits and then on a plan is asked only for what the plan's invoice is owed."""
    customer = make_customer("payg", balance="10")
    report(customer, event(product="pstn", quantity="100"))
    subscribe(account_id=customer.account.id, plan_slug="pro", at=AT + DAY)
    report(customer, event(product="pstn", quantity="10"), at=AT + DAY)
    late = event(product="pstn", quantity="1", occurred_at=AT.isoformat())
    report(customer, late, at=AT + DAY)
    assert costs(customer) == {"pstn": "0.18"}
    assert money_of(customer.account) == ("8.182", "0", "0.18")


def test_reversal_counts_as_far_as_it_lowered_the_debt() -> None:
    """S7: what came back as credits was paid before, and is no less on the invoice."""
    customer = make_customer("pro")
    report(customer, event("paid", product="pstn", quantity="100"))
    paid = UsageEvent.objects.get(idempotency_key="paid")
    for _ in range(2):
        reverse_event(account_id=customer.account.id, event_id=paid.id, reason="Wrong", at=AT, actor=SYSTEM)
    assert costs(customer) == {"pstn": "0"}
    report(customer, event("other", product="pstn", quantity="50"))
    other = UsageEvent.objects.get(idempotency_key="other")
    _pay(customer, Decimal("0.5"))
    reverse_event(account_id=customer.account.id, event_id=other.id, reason="Wrong", at=AT, actor=SYSTEM)
    assert money_of(customer.account) == ("0.5", "0", "0")
    assert costs(customer) == {"pstn": "0.5"}


def _pay(customer: Customer, amount: Decimal) -> None:
    settle_receivable(
        credits_id=customer.account.credits_id,
        receivable_id=customer.account.receivable_id,
        amount=amount,
        idempotency_key="invoice:in_1",
        at=AT,
    )
