"""Corrections of issued invoices are credit notes (I1, U3)."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from time import sleep
from uuid import UUID

import pytest
from django.db import connection, transaction

from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.settle_receivable import settle_receivable
from billing.invoices.errors import NotCreditable
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.refresh_payments import refresh_payments
from billing.invoices.services.verify_invoices import verify_invoices
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.invoices.cycling import DAY, calls, close, invoices_of, lines_of, sums_of, take_back
from tests.make import AT, Customer, make_customer
from tests.money_make import in_threads, money_of

CLOSED = AT + 40 * DAY


def credit(invoice: Invoice, amount: str) -> Invoice:
    return issue_credit_note(invoice_id=invoice.id, amount=Decimal(amount), note="Sorry", actor=SYSTEM, at=CLOSED)


@pytest.mark.usefixtures("catalogue")
class TestUsageTakenBack:
    def test_credit_note_says_what_came_back(self) -> None:
        """I1, U3: a reversal of invoiced usage becomes one credit note, and no invoice lists it again."""
        customer = make_customer(balance="10")
        wrong, _ = calls(customer, 2, AT, minutes="10")
        close(CLOSED)
        take_back(customer, wrong, CLOSED)
        take_back(customer, wrong, CLOSED)
        invoice, note = invoices_of(customer.account)
        assert (note.kind, note.corrects_id, note.number[:3], note.position) == ("credit_note", invoice.id, "CN-", 2)
        assert lines_of(note) == [("correction", "pstn", "credits", Decimal("-0.18"))]
        assert [note.total, note.off_debt, note.as_credits] == [Decimal("-0.18"), 0, Decimal("0.18")]
        assert close(CLOSED + 40 * DAY) == 1
        assert len(invoices_of(customer.account)) == 2
        assert verify_invoices() == []

    def test_off_what_is_owed_first(self) -> None:
        """I1, U3: what was still owed for the usage is taken off, and the note says so."""
        customer = make_customer(balance="0.10")
        wrong, _ = calls(customer, 2, AT, minutes="10")
        close(CLOSED)
        assert sums_of(invoices_of(customer.account)[0])[3] == "0.26"
        take_back(customer, wrong, CLOSED)
        note = invoices_of(customer.account)[1]
        assert [note.off_debt, note.as_credits] == [Decimal("0.18"), 0]
        assert verify_invoices() == []

    def test_on_the_invoice_that_listed_it(self) -> None:
        """I1, U6: late usage of a period is on a later invoice than the rest; each is corrected where it stands."""
        customer = make_customer(balance="10")
        (early,) = calls(customer, 1, AT, minutes="10")
        close(CLOSED)
        (late,) = calls(customer, 1, AT, minutes="5", key="late", told_at=CLOSED + DAY)
        close(CLOSED + 40 * DAY)
        first, second = invoices_of(customer.account)
        at = CLOSED + 41 * DAY
        take_back(customer, early, at)
        take_back(customer, late, at)
        calls(customer, 1, AT, minutes="10", key="again", told_at=at)  # as much as was taken back, in the same period
        notes = Invoice.objects.filter(kind="credit_note").order_by("total")
        assert [(one.corrects_id, one.total) for one in notes] == [
            (first.id, Decimal("-0.18")),
            (second.id, Decimal("-0.09")),
        ]
        close(CLOSED + 80 * DAY)
        assert lines_of(invoices_of(customer.account)[-1]) == [("adjustment", "pstn", "credits", Decimal("0.18"))]
        assert verify_invoices() == []

    def test_before_the_invoice_nothing_is_noted(self) -> None:
        """I1: what is taken back while the cycle runs is just less usage."""
        customer = make_customer(balance="10")
        wrong, _ = calls(customer, 2, AT, minutes="10")
        take_back(customer, wrong, AT + DAY)
        assert invoices_of(customer.account) == []
        close(CLOSED)
        assert [lines_of(one) for one in invoices_of(customer.account)] == [
            [("usage", "pstn", "credits", Decimal("0.18"))]
        ]
        assert verify_invoices() == []


@pytest.mark.usefixtures("catalogue")
class TestGivenByStaff:
    @pytest.fixture
    def customer(self) -> Customer:
        """Owes 0.26 of an invoice of 0.36."""
        customer = make_customer(balance="0.10")
        calls(customer, 2, AT, minutes="10")
        close(CLOSED)
        return customer

    def test_open_invoice(self, customer: Customer) -> None:
        """I1: off what is owed as far as it goes, the rest as credits; never more than the invoice in all."""
        (invoice,) = invoices_of(customer.account)
        first = credit(invoice, "0.20")
        assert [first.off_debt, first.as_credits, first.note] == [Decimal("0.20"), 0, "Sorry"]
        assert money_of(customer.account) == ("0", "0", "0.06")
        with pytest.raises(NotCreditable, match=r"0\.16 USD of INV-\w+-0001 can still be credited"):
            credit(invoice, "0.17")
        second = credit(invoice, "0.16")
        assert (second.off_debt, second.as_credits) == (Decimal("0.06"), Decimal("0.10"))
        assert money_of(customer.account) == ("0.1", "0", "0")
        assert (second.number[-4:], AuditEvent.objects.filter(action="credit_note.issued").count()) == ("0002", 2)
        assert (check_ledger(at=CLOSED), verify_invoices()) == ([], [])

    def test_only_what_the_invoice_still_asks_for(self, customer: Customer) -> None:
        """I1: what is owed for another invoice stays owed, whatever was credited on this one before."""
        calls(customer, 2, CLOSED, minutes="10")
        close(CLOSED + 40 * DAY)
        first, _ = invoices_of(customer.account)
        notes = [credit(first, "0.20"), credit(first, "0.16")]
        assert [(one.off_debt, one.as_credits) for one in notes] == [
            (Decimal("0.20"), Decimal(0)),
            (Decimal("0.06"), Decimal("0.10")),
        ]
        assert money_of(customer.account) == ("0.1", "0", "0.36")
        assert (check_ledger(at=CLOSED), verify_invoices()) == ([], [])

    def test_paid_invoice(self, customer: Customer) -> None:
        """I1: what is paid comes back as credits, and is no usage taken back."""
        (invoice,) = invoices_of(customer.account)
        _pay(customer, "0.26")
        note = credit(invoice, "0.30")
        assert [note.off_debt, note.as_credits] == [0, Decimal("0.30")]
        assert money_of(customer.account) == ("0.3", "0", "0")
        assert (check_ledger(at=CLOSED), verify_invoices()) == ([], [])

    @pytest.mark.parametrize("amount", ["0", "-1", "0.001", "0.37", "1000"])
    def test_wrong_amounts(self, customer: Customer, amount: str) -> None:
        """I1: nothing moves for an amount that cannot be credited."""
        (invoice,) = invoices_of(customer.account)
        with pytest.raises(NotCreditable):
            credit(invoice, amount)
        assert money_of(customer.account) == ("0", "0", "0.26")

    def test_only_an_invoice(self, customer: Customer) -> None:
        """I1: a credit note is not credited."""
        note = credit(invoices_of(customer.account)[0], "0.20")
        with pytest.raises(Invoice.DoesNotExist):
            credit(note, "0.20")


@pytest.mark.usefixtures("own_database")
def test_credit_note_race_refunds_too_much() -> None:
    """Money, I1: eight credit notes of half an invoice at once: two are issued, the others say what is left."""
    customer = make_customer(balance="10")
    calls(customer, 2, AT, minutes="10")
    close(CLOSED)
    (invoice,) = invoices_of(customer.account)
    before = money_of(customer.account)[0]

    def issue(_: int) -> UUID | None:
        try:
            return credit(invoice, "0.18").id
        except NotCreditable:
            return None

    issued = [one for one in in_threads(issue, 8, threads=8) if one is not None]
    assert len(set(issued)) == 2
    assert Decimal(money_of(customer.account)[0]) == Decimal(before) + Decimal("0.36")
    assert InvoiceLine.objects.filter(kind="credit").count() == 2
    assert verify_invoices() == []


@pytest.mark.usefixtures("own_database")
def test_event_that_waited_for_a_closing_is_after_it() -> None:
    """I1: the ledger's lock says which came first: an event that came while its cycle was closed is on the next one."""
    customer = make_customer(balance="10")
    calls(customer, 1, AT, minutes="10")

    def record() -> str:
        try:
            return calls(customer, 1, AT, minutes="500", key="meanwhile", told_at=CLOSED)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            close(CLOSED)
            recording = pool.submit(record)
            _wait_for_a_lock()
        event = recording.result()
    take_back(customer, event, CLOSED + DAY)
    assert [one.total for one in invoices_of(customer.account)] == [Decimal("0.18")]
    close(CLOSED + 40 * DAY)
    assert verify_invoices() == []


def _wait_for_a_lock() -> None:
    """Until another connection waits for a row of ours."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone() != (0,):
                return
        sleep(0.005)
    raise AssertionError("Nobody waits.")


def _pay(customer: Customer, amount: str) -> None:
    account = customer.account
    settle_receivable(
        credits_id=account.credits_id,
        receivable_id=account.receivable_id,
        amount=Decimal(amount),
        idempotency_key="invoice:in_1",
        at=CLOSED,
    )
    refresh_payments(account_id=account.id, at=CLOSED)
