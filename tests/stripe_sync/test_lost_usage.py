"""Usage that Stripe's meters have lost is found and sent again."""

from decimal import Decimal

import pytest
import stripe as sdk

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import MeterReport, StripeCustomer, StripeMeter
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.repair_drift import repair_drift
from sandbox.stripe.process import StripeSandbox
from tests.make import Customer
from tests.stripe_sync.metered import break_meter, call, counted, make_subscriber, tell
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance

pytestmark = pytest.mark.django_db


def lose(customer: Customer, stripe: StripeSandbox, minutes: str) -> None:
    """As Stripe may drop an event after it has taken it."""
    call(customer, stripe, minutes)
    break_meter(stripe, "timeout")
    tell(stripe)
    stripe.call("DELETE", "/_sandbox/faults")
    MeterReport.objects.filter(sent_at=None).update(sent_at=stripe_now(stripe))


def found(customer: Customer, stripe: StripeSandbox) -> list[tuple[str, str, str, str]]:
    rows = find_drift(account_id=customer.account.id, at=stripe_now(stripe))
    return [(row.kind, row.field, row.theirs, row.ours) for row in rows if row.kind == "meter"]


def test_what_was_lost_is_sent_again(stripe_catalogue: StripeSandbox) -> None:
    """S5, S7: found once the meter must have added up, sent once, and it does not count as usage of its own."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    tell(stripe)
    lose(customer, stripe, "50")
    assert found(customer, stripe) == []
    advance(stripe, 0.1)
    assert found(customer, stripe) == [("meter", "pstn", "holds 1.8 USD", "2.7 USD sent")]
    assert counted(customer, stripe) == Decimal("1.8")
    for _ in range(2):
        assert repair_drift(account_id=customer.account.id, at=stripe_now(stripe)) == []
    assert counted(customer, stripe) == Decimal("2.7")
    assert MeterReport.objects.filter(repeats=True).count() == 1
    advance(stripe, 0.1)
    assert found(customer, stripe) == []
    assert tell(stripe) == (0, 0)


@pytest.mark.parametrize("arrived", [True, False])
def test_repeat_whose_answer_was_lost(stripe_catalogue: StripeSandbox, arrived: bool) -> None:
    """S7: days later the meter says whether it arrived."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    lose(customer, stripe, "50")
    advance(stripe, 0.1)
    at = stripe_now(stripe)
    break_meter(stripe, "lost" if arrived else "timeout")
    with pytest.raises(sdk.APIConnectionError):
        repair_drift(account_id=customer.account.id, at=at)
    advance(stripe, 3)
    assert found(customer, stripe) == []
    assert tell(stripe) == (0, 1)
    assert counted(customer, stripe) == Decimal("0.9")


def test_too_much_is_left_to_a_person(stripe_catalogue: StripeSandbox) -> None:
    """S5: somebody else has counted; what it means nobody here knows."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    tell(stripe)
    meter = StripeMeter.objects.get(product="pstn")
    stranger = {"stripe_customer_id": StripeCustomer.objects.get().customer_id, "value": "7"}
    stripe_client().v1.billing.meter_events.create({"event_name": meter.event_name, "payload": stranger})
    advance(stripe, 0.1)
    assert [row.kind for row in repair_drift(account_id=customer.account.id, at=stripe_now(stripe))] == ["meter"]
    assert MeterReport.objects.filter(repeats=True).count() == 0
