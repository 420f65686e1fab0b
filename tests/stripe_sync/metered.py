"""Metered usage of an account on a paid plan, and what Stripe's meters make of it."""

from datetime import datetime
from decimal import Decimal

from billing.invoices.services.close_due_cycles import open_first_cycles
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import StripeMeter
from billing.stripe_sync.services.report_meters import report_meters
from billing.stripe_sync.services.send_meter_reports import send_meter_reports
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.usage.models import UsageEvent
from sandbox.stripe.process import StripeSandbox
from tests.make import Customer, make_customer
from tests.money_make import event, report, statuses
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import customer_of, subscribed

YEAR = 366 * 86_400


def make_subscriber(stripe: StripeSandbox, plan: str = "pro", **more: str) -> Customer:
    """A customer on a plan that it pays for at Stripe: a minute of telephony costs 0.018 dollars on Pro."""
    customer = make_customer("free")
    open_first_cycles(account_id=customer.account.id)
    subscribed(customer.account, stripe, plan, **more)
    read_invoices(customer, stripe)
    return customer


def read_invoices(customer: Customer, stripe: StripeSandbox) -> None:
    """What the events of all invoices do, oldest first."""
    found = stripe_client().v1.invoices.list({"customer": customer_of(customer.account.id), "limit": 20})
    for invoice in reversed(found.data):
        assert sync_invoice(invoice_id=invoice.id, at=stripe_now(stripe))


def call(customer: Customer, stripe: StripeSandbox, minutes: str, *, at: datetime | None = None) -> UsageEvent:
    """Telephony that was used just now, or then."""
    now = stripe_now(stripe)
    used = event(product="pstn", quantity=minutes, occurred_at=(at or now).isoformat())
    results = report(customer, used, at=now)
    assert statuses(results) == ["accepted"]
    return UsageEvent.objects.get(account_id=customer.account.id, idempotency_key=used["idempotency_key"])


def tell(stripe: StripeSandbox) -> tuple[int, int]:
    """Report and send, as the periodic task does; answers how many of each."""
    at = stripe_now(stripe)
    return report_meters(at=at), send_meter_reports(at=at)


def counted(customer: Customer, stripe: StripeSandbox, product: str = "pstn") -> Decimal:
    """What Stripe's meter holds of the customer, in dollars."""
    meter = StripeMeter.objects.get(product=product, currency="USD")
    now = int(stripe_now(stripe).timestamp()) // 60 * 60
    span = {"customer": customer_of(customer.account.id), "start_time": now - now % 60 - YEAR // 60 * 60}
    found = stripe_client().v1.billing.meters.event_summaries.list(meter.meter_id, span | {"end_time": now + 60})
    return sum((Decimal(str(one.aggregated_value)) for one in found.data), start=Decimal(0)) / 100


def break_meter(stripe: StripeSandbox, kind: str, *, times: int = 3) -> None:
    """The SDK tries three times."""
    fault = {"method": "POST", "path": "/v1/billing/meter_events", "kind": kind, "status": 503, "times": times}
    stripe.call("POST", "/_sandbox/faults", fault)
