"""Using something, letting time pass, closing cycles."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from billing.core.ids import decode_id
from billing.credits.services.pay_owed import pay_owed
from billing.credits.services.settle_receivable import settle_receivable
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.queries import asked_of_debt
from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.invoices.services.refresh_payments import refresh_payments
from billing.invoices.services.take_back_usage import take_back_usage
from billing.subscriptions.models import BillingAccount
from tenants.services.record_audit import SYSTEM
from tests.make import Customer, make_credits
from tests.money_make import event, report

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_numbers = count(1)


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


def buy(customer: Customer, amount: str, at: datetime) -> None:
    """Credits, which pay what is owed and on no invoice, as a purchase by card does."""
    account = customer.account
    make_credits(account, amount, at=at, key=f"buy-{next(_numbers)}")
    pay_owed(
        credits_id=account.credits_id,
        receivable_id=account.receivable_id,
        most=Decimal(amount),
        billed=asked_of_debt(account.id),
        idempotency_key=f"paid-{next(_numbers)}",
        at=at,
    )
    refresh_payments(account_id=account.id, at=at)


def settle(customer: Customer, amount: str, at: datetime) -> None:
    """By card."""
    account = customer.account
    settle_receivable(
        credits_id=account.credits_id,
        receivable_id=account.receivable_id,
        amount=Decimal(amount),
        idempotency_key=f"card-{next(_numbers)}",
        at=at,
    )
    refresh_payments(account_id=account.id, at=at)


def take_back(customer: Customer, event: str, at: datetime) -> None:
    """Usage, by its event's id."""
    event_id = decode_id("evt", event)
    take_back_usage(account_id=customer.account.id, event_id=event_id, reason="Twice", at=at, actor=SYSTEM)
