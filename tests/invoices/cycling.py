"""Using something, letting time pass, closing cycles."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from billing.core.ids import decode_id
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.subscriptions.models import BillingAccount
from tests.make import Customer
from tests.money_make import event, report

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def calls(
    customer: Customer, number: int, at: datetime, *, minutes: str = "1", key: str = "", told_at: datetime | None = None
) -> list[str]:
    """Telephone usage at an instant: 0.018 dollars a minute. The events' ids."""
    events = [
        event(f"call-{key or at.isoformat()}-{place}", product="pstn", quantity=minutes, occurred_at=at.isoformat())
        for place in range(number)
    ]
    return [str(result.event_id) for result in report(customer, *events, at=told_at or at)]


def runs(customer: Customer, number: int, at: datetime, *, key: str = "", told_at: datetime | None = None) -> list[str]:
    """Model usage at an instant: 0.0075 dollars a run. The events' ids."""
    events = [event(f"{key or at.isoformat()}-{place}", occurred_at=at.isoformat()) for place in range(number)]
    return [str(result.event_id) for result in report(customer, *events, at=told_at or at)]


def close(at: datetime, account: BillingAccount | None = None) -> int:
    return close_due_cycles(at=at, account_id=account.id if account is not None else None)


def invoices_of(account: BillingAccount) -> list[Invoice]:
    return list(Invoice.objects.filter(account_id=account.id).order_by("position"))


def cycles_of(account: BillingAccount) -> list[tuple[datetime, datetime, str]]:
    rows = BillingCycle.objects.filter(account_id=account.id).order_by("starts_at")
    return list(rows.values_list("starts_at", "ends_at", "state"))


def lines_of(invoice: Invoice) -> list[tuple[str, str, str, Decimal]]:
    """Kind, product, funding and amount of each line in its place."""
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("place")
    return list(lines.values_list("kind", "product", "funding", "amount"))


def sums_of(invoice: Invoice) -> tuple[str, str, str, str]:
    """Total, credits applied, carried, due."""
    sums = (invoice.total, invoice.credits_applied, invoice.carried, invoice.amount_due)
    return tuple(f"{amount.normalize():f}" for amount in sums)  # type: ignore[return-value]


def ids(events: Iterable[str]) -> list[object]:
    return [decode_id("evt", one) for one in events]
