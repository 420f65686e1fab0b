"""Executions past the limit, on the invoice of who pays for the plan at Stripe."""

from decimal import Decimal

import pytest

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import MeterReport
from sandbox.stripe.process import StripeSandbox
from tests.money_make import finish, money_of, start
from tests.runtime.limits import control, use_up, window
from tests.stripe_sync.metered import counted, make_subscriber, tell
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of

pytestmark = pytest.mark.django_db


def test_execution_past_the_limit_is_invoiced(stripe_catalogue: StripeSandbox) -> None:
    """P8, S7: each is metered at Stripe once, and the period's invoice asks for it; runs within the limit are not."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    now = stripe_now(stripe)
    use_up(customer, "executions_per_month", "4999", since=window(customer, "executions_per_month", now))
    control(customer, overage_enabled=True, overage_ceiling="1.00", at=now)
    for _ in range(4):
        finish(customer, start(customer, at=now), at=now)
    assert tell(stripe) == (1, 1)
    assert tell(stripe) == (0, 0)
    assert MeterReport.objects.get().product == "executions"
    assert counted(customer, stripe, "executions") == Decimal("0.03")
    assert money_of(customer.account) == ("0", "0", "0.03")
    advance(stripe, 32)
    invoice = stripe_client().v1.invoices.list({"customer": customer_of(customer.account.id), "limit": 1}).data[0]
    assert 3 in [line.amount for line in invoice.lines.data]
