"""Metered usage reaches Stripe's meters once, whatever happens on the way."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import MeterReport, StripeCustomer, StripeMeter
from billing.stripe_sync.services.report_meters import report_meters
from billing.stripe_sync.services.send_meter_reports import send_meter_reports
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.reverse_event import reverse_event
from sandbox.stripe.process import StripeSandbox
from tenants.services.record_audit import SYSTEM
from tests.make import make_customer
from tests.money_make import event, money_of, report
from tests.stripe_sync.metered import break_meter, call, counted, make_subscriber, tell
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, look

pytestmark = pytest.mark.django_db


def test_what_grew_is_reported(stripe_catalogue: StripeSandbox) -> None:
    """S7: each report is what usage has grown by; nothing new, no report. Model usage is the plan's."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100.5")
    report(customer, event(), at=stripe_now(stripe))
    assert tell(stripe) == (1, 1)
    assert tell(stripe) == (0, 0)
    flush_all_rollups()
    assert tell(stripe) == (0, 0)
    call(customer, stripe, "0.001")
    assert tell(stripe) == (1, 1)
    assert counted(customer, stripe) == Decimal("1.809018")
    assert money_of(customer.account) == ("0", "0", "1.809018")
    first, second = MeterReport.objects.order_by("sequence")
    assert (first.amount, first.sequence, second.amount, second.sequence) == (
        Decimal("1.809"),
        1,
        Decimal("0.000018"),
        2,
    )


def test_what_shrank_is_reported(stripe_catalogue: StripeSandbox) -> None:
    """S7: usage that is reversed while it is owed comes off the meter, too."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    wrong = call(customer, stripe, "100")
    call(customer, stripe, "50")
    assert tell(stripe) == (1, 1)
    reverse_event(
        account_id=customer.account.id, event_id=wrong.id, reason="Wrong", at=stripe_now(stripe), actor=SYSTEM
    )
    assert tell(stripe) == (1, 1)
    assert counted(customer, stripe) == Decimal("0.9")
    assert money_of(customer.account) == ("0", "0", "0.9")


def test_only_paying_accounts_and_known_meters(stripe_catalogue: StripeSandbox) -> None:
    """S7: without an agreement there is no invoice, without a meter nothing to count; both wait, and lose nothing."""
    stripe = stripe_catalogue
    call(make_customer("free"), stripe, "10")
    customer = make_subscriber(stripe)
    call(customer, stripe, "10")
    StripeMeter.objects.update(is_active=False)
    assert tell(stripe) == (0, 0)
    StripeMeter.objects.update(is_active=True)
    assert tell(stripe) == (1, 1)
    assert MeterReport.objects.get().account == customer.account


def test_retry_with_same_key_and_new_timestamp_bills_once(stripe_catalogue: StripeSandbox) -> None:
    """Money: an answer that was lost is asked for again an hour later under the same identifier, and counts once."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    break_meter(stripe, "lost")
    assert tell(stripe) == (1, 0)
    assert MeterReport.objects.get().error == ""
    advance(stripe, 1 / 24)
    assert tell(stripe) == (0, 1)
    assert counted(customer, stripe) == Decimal("1.8")


@pytest.mark.parametrize("kind", ["timeout", "status"])
def test_stripe_is_away(stripe_catalogue: StripeSandbox, kind: str) -> None:
    """S7: what was not heard is sent again, and what comes after it waits."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    break_meter(stripe, kind)
    assert tell(stripe) == (1, 0)
    call(customer, stripe, "100")
    assert tell(stripe) == (1, 2)
    assert counted(customer, stripe) == Decimal("3.6")


@pytest.mark.parametrize("arrived", [True, False])
def test_worker_that_died_days_ago(stripe_catalogue: StripeSandbox, arrived: bool) -> None:
    """S7: an identifier that Stripe may have forgotten is not sent blindly: the meter says whether it arrived."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    tell(stripe)
    call(customer, stripe, "50")
    break_meter(stripe, "lost" if arrived else "timeout")
    tell(stripe)
    advance(stripe, 3)
    assert tell(stripe) == (0, 1)
    assert counted(customer, stripe) == Decimal("2.7")


def test_meter_that_nobody_understands(stripe_catalogue: StripeSandbox) -> None:
    """S7: where somebody else has counted meanwhile, the report is kept with the reason for a person to decide."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    break_meter(stripe, "timeout")
    tell(stripe)
    meter = StripeMeter.objects.get(product="pstn")
    stranger = {"stripe_customer_id": StripeCustomer.objects.get().customer_id, "value": "7"}
    stripe_client().v1.billing.meter_events.create({"event_name": meter.event_name, "payload": stranger})
    advance(stripe, 3)
    assert tell(stripe) == (0, 0)
    assert "The meter holds 0.07" in MeterReport.objects.get().error


def test_refused_report_is_kept(stripe_catalogue: StripeSandbox) -> None:
    """S7: what Stripe does not take keeps the reason; the others go on, and it is tried again."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    fault = {"method": "POST", "path": "/v1/billing/meter_events", "kind": "status", "status": 400, "times": 1}
    stripe.call("POST", "/_sandbox/faults", fault)
    assert tell(stripe) == (1, 0)
    assert "InvalidRequestError" in MeterReport.objects.get().error
    assert tell(stripe) == (0, 1)
    assert MeterReport.objects.get().error == ""
    assert counted(customer, stripe) == Decimal("1.8")


@pytest.mark.parametrize("months", [1, 6])
def test_clock_of_stripe_that_is_ahead(stripe_catalogue: StripeSandbox, months: int) -> None:
    """S7: usage counts in the period that Stripe is in, not in one that its clock has left, and so it is billed."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    ours = stripe_now(stripe)
    advance(stripe, 31 * months)
    assert (report_meters(at=ours), send_meter_reports(at=ours)) == (1, 1)
    advance(stripe, 31)
    client, key = stripe_client(), customer_of(customer.account.id)
    newest = client.v1.invoices.list({"customer": key, "limit": 1}).data[0]
    assert 180 in [line.amount for line in newest.lines.data]


def test_late_retry_reads_a_meter_whose_clock_is_ahead(stripe_catalogue: StripeSandbox) -> None:
    """S7: what arrived is found, although it was counted at a time that is still to come here."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    ours = stripe_now(stripe)
    advance(stripe, 62)
    look(customer.account, stripe)
    break_meter(stripe, "lost")
    report_meters(at=ours)
    assert send_meter_reports(at=ours) == 0
    assert send_meter_reports(at=ours + timedelta(days=2)) == 1
    assert counted(customer, stripe) == Decimal("1.8")


def test_customer_that_is_gone(stripe_catalogue: StripeSandbox) -> None:
    """S7: usage of a customer that Stripe has no more is not lost, and holds up nobody."""
    stripe = stripe_catalogue
    gone, customer = make_subscriber(stripe), make_subscriber(stripe)
    for one in (gone, customer):
        call(one, stripe, "100")
    report_meters(at=stripe_now(stripe))
    StripeCustomer.objects.filter(account=gone.account).update(deleted_at=stripe_now(stripe))
    assert tell(stripe) == (0, 1)
    assert "no customer" in MeterReport.objects.get(account=gone.account).error


def test_without_stripe(stripe_catalogue: StripeSandbox, settings: Settings) -> None:
    """S6, S7: reports wait for a key."""
    stripe = stripe_catalogue
    call(make_subscriber(stripe), stripe, "100")
    at = stripe_now(stripe)
    settings.STRIPE_SECRET_KEY = ""
    assert (report_meters(at=at), send_meter_reports(at=at)) == (1, 0)
