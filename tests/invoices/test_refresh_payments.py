"""What is paid of what an account owes pays its open invoices."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from billing.credits.services.settle_receivable import settle_receivable
from billing.invoices.models import Invoice, InvoicePayment
from billing.invoices.processor import ProcessorPayment
from billing.invoices.services.follow_payment import follow_payment
from billing.invoices.services.refresh_payments import refresh_open_payments, refresh_payments
from billing.notifications.models import WebhookEvent
from tests.invoices.issued import credit, issue
from tests.make import AT, Customer, make_customer
from tests.money_make import owe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
LATER = AT + timedelta(hours=1)


def settle(customer: Customer, amount: str, *, key: str) -> None:
    settle_receivable(
        credits_id=customer.account.credits_id,
        receivable_id=customer.account.receivable_id,
        amount=Decimal(amount),
        idempotency_key=key,
        at=AT,
    )


def refresh(customer: Customer) -> int:
    return refresh_payments(account_id=customer.account.id, at=LATER)


def payments(customer: Customer) -> list[tuple[str, str]]:
    rows = InvoicePayment.objects.filter(invoice__account_id=customer.account.id).order_by("invoice__position")
    return [(row.status, f"{row.amount_paid.normalize():f}") for row in rows.exclude(invoice__kind="credit_note")]


def told() -> list[tuple[str, str]]:
    found = WebhookEvent.objects.exclude(type__endswith=".issued").order_by("id")
    return [(one.type, one.data["invoice"]["number"]) for one in found]


def test_oldest_first() -> None:
    """I2: in part, then in full, each told once; less than a minor unit is as good as nothing."""
    customer = make_customer("pro")
    owe(customer.account.receivable, "12.004")
    first, second = (issue(customer.account, amount) for amount in ("9.00", "3.00"))
    assert refresh(customer) == 0
    settle(customer, "4", key="one")
    assert (refresh(customer), payments(customer)) == (0, [("open", "4"), ("open", "0")])
    settle(customer, "7.9955", key="two")
    assert (refresh(customer), payments(customer)) == (2, [("paid", "9"), ("paid", "2.9955")])
    assert told() == [("invoice.paid", first.number), ("invoice.paid", second.number)]
    assert (refresh(customer), refresh_open_payments(at=LATER)) == (0, 0)
    third = issue(customer.account, "2.00")
    assert (refresh(customer), payments(customer)[2]) == (0, ("open", "0"))
    owe(customer.account.receivable, "2")
    settle(customer, "9", key="three")
    assert refresh_open_payments(at=LATER) == 1
    assert InvoicePayment.objects.get(invoice=third).paid_at == LATER


def test_what_is_not_asked_for_any_more() -> None:
    """I1: credit notes take their part off; where nothing is owed nothing is open."""
    customer = make_customer("pro")
    owe(customer.account.receivable, "9")
    invoice = issue(customer.account)
    credit(invoice, "2.00")
    settle(customer, "7", key="one")
    assert (refresh(customer), payments(customer)) == (1, [("paid", "7")])
    assert [note.off_debt for note in Invoice.objects.filter(kind="credit_note")] == [2]
    forgiven = make_customer("pro")
    issue(forgiven.account)
    assert (refresh(forgiven), payments(forgiven)) == (1, [("paid", "0")])


def test_the_processor_speaks_for_its_own() -> None:
    """I2, S7: what its invoice paid pays no other; each failed try and the payment are told once."""
    customer = make_customer("pro")
    owe(customer.account.receivable, "14")
    theirs = issue(customer.account, "9.00", columns={"external_id": "in_1"})
    issue(customer.account, "5.00")
    settle(customer, "9", key="invoice:in_1")
    assert (refresh(customer), payments(customer)) == (0, [("open", "0"), ("open", "0")])

    def follow(status: str, attempts: int, paid: str = "0", key: str = "in_1") -> bool:
        again = LATER if status == "open" else None
        payment = ProcessorPayment(key, status, Decimal(paid), "https://pay.example/1", attempts, again)
        return follow_payment(payment=payment, at=LATER)

    assert [follow("open", 1), follow("open", 1), follow("open", 3)] == [True, False, True]
    assert [follow("paid", 4, "9"), follow("paid", 4, "9")] == [True, False]
    assert (payments(customer)[0], InvoicePayment.objects.get(invoice=theirs).attempts) == (("paid", "9"), 4)
    assert [one for one, _ in told()] == [*["invoice.failed"] * 3, "invoice.paid"]
    attempts = WebhookEvent.objects.filter(type="invoice.failed").order_by("id").values_list("data", flat=True)
    assert [data["invoice"]["attempt"] for data in attempts] == [1, 2, 3]
    assert attempts[0]["invoice"]["next_attempt_at"] == "2026-03-10T13:00:00Z"
    assert follow("open", 1, key="in_2") is False
    with transaction.atomic():
        voided = issue(customer.account, "1.00", columns={"external_id": "in_3"})
        assert follow("void", 2, key="in_3")
        assert payments(customer)[-1] == ("void", "0")
        assert voided.number not in dict(told()).values()
