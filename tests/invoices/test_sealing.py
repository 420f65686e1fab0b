"""Issued documents cannot change, and a change behind the triggers' back is found (I1)."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from uuid_utils.compat import uuid7

from billing.credits.services.settle_receivable import settle_receivable
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.sealing import canonical_content, seal_of
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.refresh_payments import refresh_payments
from billing.invoices.services.verify_invoices import verify_document, verify_invoices
from billing.notifications.models import Notice
from tenants.services.record_audit import SYSTEM
from tests.invoices.cycling import DAY, calls, close, invoices_of
from tests.make import AT, Customer, make_customer

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def customer() -> Customer:
    """With two invoices."""
    made = make_customer(balance="10")
    calls(made, 3, AT)
    calls(made, 4, AT + 31 * DAY)
    assert close(AT + 70 * DAY) == 2
    return made


def refused(work: Callable[[], object], *words: str) -> None:
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        work()
    assert any(word in str(raised.value) for word in words), str(raised.value)


def test_triggers_refuse_any_change(customer: Customer) -> None:
    """I1: documents and lines are neither changed, deleted nor truncated, and take no more lines."""
    invoice = invoices_of(customer.account)[0]
    line = InvoiceLine.objects.get(invoice=invoice)
    refused(lambda: Invoice.objects.filter(id=invoice.id).update(note="paid"), "Cannot update or delete")
    refused(lambda: InvoiceLine.objects.filter(id=line.id).update(amount=0), "Cannot update or delete")
    refused(invoice.lines.all().delete, "Cannot update or delete")
    refused(lambda: _sql("DELETE FROM billing_invoices_invoice WHERE id = %s", invoice.id), "Cannot update or delete")
    _sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("invoice", "invoiceline"):
        refused(partial(_sql, f"TRUNCATE billing_invoices_{table} CASCADE"), "Cannot truncate")
    line.pk, line.place = uuid7(), 2
    refused(lambda: line.save(force_insert=True), "takes no more lines")


def test_triggers_refuse_a_document_out_of_order(customer: Customer) -> None:
    """I1: no gap in the numbers, no fork of the chain, no subtotal that lines do not say, no second of a kind."""
    last = invoices_of(customer.account)[-1]

    def another(**changes: object) -> None:
        document = Invoice.objects.get(id=last.id)
        values = {"position": 3, "sequence": 3, "previous_hash": last.content_hash, "subtotal": 0, "total": 0}
        values |= {"credits_applied": 0, "amount_due": 0, "cycle_id": None, "number": "INV-X-3", "content_hash": "x"}
        for name, value in (values | {"id": uuid7()} | changes).items():
            setattr(document, name, value)
        document.save(force_insert=True)

    refused(lambda: another(position=4), "does not follow")
    refused(lambda: another(previous_hash="f" * 64), "does not follow")
    refused(lambda: another(sequence=4), "leave a gap")
    refused(lambda: another(subtotal=1, total=1, amount_due=1), "The lines of")
    refused(lambda: another(amount_due=1), "invoice_amount_due")
    another()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE billing_invoices_invoiceline SET description = 'Gift' WHERE invoice_id = %s", "not what was sealed"),
        ("UPDATE billing_invoices_invoiceline SET details = '[]' WHERE invoice_id = %s", None),
        ("UPDATE billing_invoices_invoice SET customer = '{\"name\": \"Other\"}' WHERE id = %s", "not what was sealed"),
        ("UPDATE billing_invoices_invoice SET issued_at = issued_at - interval '1 day' WHERE id = %s", "was sealed"),
        ("UPDATE billing_invoices_invoice SET total = 9, subtotal = 9, amount_due = 9 - credits_applied WHERE id = %s",
         "its lines do not come"),
    ],
)  # fmt: skip
def test_tampering_is_found(customer: Customer, change: str, words: str | None) -> None:
    """I1: whoever goes around the triggers is found by the seal; what changes nothing is no finding."""
    first, second = invoices_of(customer.account)
    _sql("SET LOCAL session_replication_role = replica")
    _sql(change, first.id)
    findings = verify_document(Invoice.objects.get(id=first.id))
    assert (findings == []) if words is None else any(words in finding for finding in findings)
    assert verify_document(second) == []


def test_missing_document_is_found(customer: Customer) -> None:
    """I1: a document that was taken out breaks the chain, and its usage is on no document."""
    first, second = invoices_of(customer.account)
    _sql("SET LOCAL session_replication_role = replica")
    for table in ("invoicepayment", "invoiceline"):
        _sql(f"DELETE FROM billing_invoices_{table} WHERE invoice_id = %s", first.id)
    _sql("DELETE FROM billing_invoices_invoice WHERE id = %s", first.id)
    findings = verify_invoices(account_id=customer.account.id)
    assert [part for part in ("does not follow", "missing or twice", "documents list 0") if part in str(findings)] == [
        "does not follow",
        "missing or twice",
        "documents list 0",
    ]
    assert second.number in findings[0]


def test_document_that_was_sealed_again_is_found(customer: Customer) -> None:
    """I1: whoever can write a whole chain anew does not reach the tenant's mailbox, which knows the seal."""
    last = invoices_of(customer.account)[-1]
    assert last.content_hash in Notice.objects.get(key__endswith=last.id.hex).body
    last.note = "Another"
    seal = seal_of(last, list(last.lines.order_by("place")))
    _sql("SET LOCAL session_replication_role = replica")
    _sql("UPDATE billing_invoices_invoice SET note = 'Another', content_hash = %s WHERE id = %s", seal, last.id)
    (finding,) = verify_invoices(account_id=customer.account.id)
    assert "told of another document than there is" in finding


def test_line_of_another_account_is_found(customer: Customer) -> None:
    """I1: what a page would show is what is proven."""
    first, second = invoices_of(customer.account)
    other = make_customer()
    _sql("SET LOCAL session_replication_role = replica")
    _sql(
        "UPDATE billing_invoices_invoiceline SET invoice_id = %s, place = 9, account_id = %s WHERE invoice_id = %s",
        first.id, other.account.id, second.id,
    )  # fmt: skip
    assert all(any("not what was sealed" in one for one in verify_document(each)) for each in (first, second))


def test_last_document_that_is_missing_is_found(customer: Customer) -> None:
    """I1: nothing follows it in the chain, but the tenant was told of it, and money moved for it."""
    first = invoices_of(customer.account)[0]
    note = issue_credit_note(invoice_id=first.id, amount=Decimal("0.02"), note="Sorry", actor=SYSTEM, at=AT + 70 * DAY)
    _sql("SET LOCAL session_replication_role = replica")
    _sql("DELETE FROM billing_invoices_invoiceline WHERE invoice_id = %s", note.id)
    _sql("DELETE FROM billing_invoices_invoice WHERE id = %s", note.id)
    found = " ".join(verify_invoices(account_id=customer.account.id))
    assert f"credit note {note.number}" in found
    assert "moved for a credit note that is not there" in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE billing_invoices_invoice SET taxes = '[{\"a\": 1}]' WHERE position = 1", "taxes do not come to"),
        ("DELETE FROM billing_invoices_invoicepayment", "nothing says whether it is paid"),
        ("UPDATE billing_invoices_invoicepayment SET amount_paid = 9999", "9999"),
        ("UPDATE billing_invoices_billingcycle SET ends_at = ends_at - interval '1 hour' WHERE state = 'closed'",
         "the next one begins on"),
        ("UPDATE billing_invoices_billingcycle SET starts_at = starts_at + interval '1 hour'",
         "its cycle has other dates"),
        ("DELETE FROM billing_invoices_billingcycle WHERE state = 'open'", "no cycle follows"),
    ],
)  # fmt: skip
def test_what_stands_beside_documents_is_compared(customer: Customer, change: str, words: str) -> None:
    """I1, I2: payments and cycles that were changed behind the triggers' back are found, and end no proof."""
    _sql("SET LOCAL session_replication_role = replica")
    _sql(change)
    assert any(words in finding for finding in verify_invoices(account_id=customer.account.id))


def test_invoice_said_to_be_paid_while_it_is_owed_is_found() -> None:
    """I2, M11: what an account owes is asked for by an open invoice, or waits for the next one."""
    customer = make_customer(balance="0.01")
    calls(customer, 30, AT)
    assert close(AT + 40 * DAY) == 1
    assert verify_invoices() == []
    _sql("UPDATE billing_invoices_invoicepayment SET status = 'paid', paid_at = now()")
    assert [finding for finding in verify_invoices() if "is owed, documents ask for 0" in finding]


def test_paid_invoice_said_to_be_open_is_found() -> None:
    """I2, M11: open invoices do not ask for more than is owed."""
    customer = make_customer(balance="0.01")
    calls(customer, 30, AT)
    assert close(AT + 40 * DAY) == 1
    account, due = customer.account, invoices_of(customer.account)[0].amount_due
    settle_receivable(
        credits_id=account.credits_id, receivable_id=account.receivable_id, amount=due, idempotency_key="paid", at=AT
    )
    refresh_payments(account_id=account.id, at=AT)
    assert verify_invoices() == []
    _sql("UPDATE billing_invoices_invoicepayment SET status = 'open', paid_at = NULL, amount_paid = 0")
    assert [finding for finding in verify_invoices() if "open invoices ask for" in finding]


def test_closed_cycles_are_final(customer: Customer) -> None:
    """I1: neither by our code nor by SQL."""
    closed = BillingCycle.objects.filter(state="closed")
    refused(lambda: closed.update(ends_at=AT + 90 * DAY), "Cannot update")
    refused(lambda: _sql("UPDATE billing_invoices_invoicepayment SET status = 'foo'"), "invoicepayment_status")


def test_money_that_moved_without_usage_is_found(customer: Customer) -> None:
    """M11: the ledger charged what was used, to nine decimals."""
    _sql("SET LOCAL session_replication_role = replica")
    taken = "UPDATE billing_credits_transfer SET amount = amount + 0.000000001 WHERE debit_account_id = %s"
    _sql(taken, customer.account.credits_id)
    assert any("the ledger charged" in finding for finding in verify_invoices(account_id=customer.account.id))


def test_canonical_content_is_every_column(customer: Customer) -> None:
    """I1: what is printed or decided upon cannot be outside of the seal."""
    invoice = invoices_of(customer.account)[0]
    content = canonical_content(invoice, list(invoice.lines.all())).decode()
    names = [field.attname for model in (Invoice, InvoiceLine) for field in model._meta.concrete_fields]
    assert [name for name in names if f'"{name}":' not in content] == ["content_hash"]
    assert f'"amount":"{Decimal("0.05"):.9f}"' in content


def _sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
