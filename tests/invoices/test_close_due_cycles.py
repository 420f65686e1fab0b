"""Closing at its time, exactly once, whoever asks and whatever fails (I1)."""

import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from itertools import count
from threading import Event

import pytest
from django.db import DatabaseError, connection

from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.invoices.services.verify_invoices import verify_invoices
from billing.notifications.models import Notice
from tests.invoices.cycling import DAY, HOUR, calls, close, cycles_of, invoices_of, runs
from tests.make import AT, Customer, make_customer
from tests.money_make import in_threads

CLOSED = AT + 40 * DAY


def customers(number: int) -> list[Customer]:
    made = [make_customer(balance="10") for _ in range(number)]
    for customer in made:
        calls(customer, 2, AT)
        runs(customer, 3, AT)
    return made


@pytest.mark.usefixtures("own_database")
def test_two_schedulers_close_the_same_cycle() -> None:
    """Money, I1: eight schedulers at once issue one invoice an account, with one number, one e-mail, one open cycle."""
    made = customers(6)
    in_threads(lambda _: close(CLOSED), 8, threads=8)
    close(CLOSED)
    accounts = Counter(Invoice.objects.values_list("account_id", flat=True))
    assert accounts == {customer.account.id: 1 for customer in made}
    assert InvoiceLine.objects.count() == 2 * len(made)
    assert Notice.objects.filter(kind="invoice-ready").count() == len(made)
    assert [len(cycles_of(customer.account)) for customer in made] == [2] * len(made)
    assert verify_invoices() == []


@pytest.mark.usefixtures("own_database")
def test_usage_while_a_cycle_closes() -> None:
    """I1, U6: what is told at the same moment is on the invoice or on the next one, never on both or on none."""
    (customer,) = customers(1)
    in_threads(lambda n: close(CLOSED) if n % 4 == 0 else runs(customer, 1, AT, key=f"late-{n}", told_at=CLOSED), 24)
    close(CLOSED + 40 * DAY)
    assert sum(line.requests for line in InvoiceLine.objects.filter(product="llm")) == 3 + 18
    assert verify_invoices() == []


@pytest.mark.usefixtures("own_database")
def test_crash_mid_handler_duplicates_lines() -> None:
    """Money, I1: schedulers whose connection dies in the middle leave whole invoices or none."""
    made = customers(12)
    over = Event()

    def work(number: int) -> int:
        if number == 0:
            return kill()
        for turn in count():
            if turn >= 4 and over.is_set():
                break
            with suppress(DatabaseError):
                close(CLOSED)
            connection.close()
        return 0

    def kill() -> int:
        """Five times, and until somebody was hit, however busy the machine is."""
        killed = 0
        try:
            for turn in range(1000):
                killed += _kill_all_others(0.02)
                if turn >= 4 and killed:
                    break
        finally:
            over.set()
        return killed

    killed, *_ = in_threads(work, 3, threads=3)
    assert killed > 0
    close(CLOSED + DAY)
    assert Counter(Invoice.objects.values_list("account_id", flat=True)) == {one.account.id: 1 for one in made}
    assert InvoiceLine.objects.count() == 2 * len(made)
    assert Notice.objects.filter(kind="invoice-ready").count() == len(made)
    assert verify_invoices() == []


def _kill_all_others(after: float) -> int:
    time.sleep(after)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(pg_terminate_backend(pid)) {others}")
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("catalogue")
class TestFailures:
    def test_one_account_holds_up_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """I1: an account that cannot be closed keeps the reason, is tried again, and the others are closed."""
        broken, whole = customers(2)
        close(AT)
        # Its currency is gone: as if a migration had gone wrong.
        type(broken.account).objects.filter(id=broken.account.id).update(currency="XXX")
        assert close(CLOSED) == 1
        assert (invoices_of(broken.account), len(invoices_of(whole.account))) == ([], 1)
        cycle = BillingCycle.objects.get(account=broken.account)
        assert (cycle.state, cycle.tries, cycle.due_at > CLOSED, "XXX" in cycle.error) == ("open", 1, True, True)
        type(broken.account).objects.filter(id=broken.account.id).update(currency="USD")
        assert close(CLOSED) == 0
        assert close(CLOSED + HOUR) == 1
        assert BillingCycle.objects.get(id=cycle.id).error == ""

    def test_cycles_of_one_account(self) -> None:
        """I1: staff close one account's ended cycle without waiting for late usage; a running one they do not."""
        first, second = customers(2)
        end = cycles_of_after(first)
        assert close(end, first.account) == 1
        assert (len(invoices_of(first.account)), invoices_of(second.account)) == (1, [])
        assert close(end, first.account) == 0

    def test_limit_of_one_run(self) -> None:
        """I1: a run does as many as it is told to, the next one goes on."""
        customers(3)
        assert [close_due_cycles(at=CLOSED, limit=2) for _ in range(3)] == [2, 1, 0]


def cycles_of_after(customer: Customer) -> datetime:
    close(AT)
    return cycles_of(customer.account)[0][1]
