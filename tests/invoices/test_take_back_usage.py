"""Usage that is taken back: what invoices ask for stays what is owed, whatever came first (U3, I1)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.credits.services.check_ledger import check_ledger
from billing.invoices.models import Invoice
from billing.invoices.queries import to_be_paid
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.refresh_payments import refresh_payments
from billing.invoices.services.verify_invoices import verify_invoices
from tenants.services.record_audit import SYSTEM
from tests.invoices.cycling import DAY, buy, calls, close, invoices_of, lines_of, settle, sums_of, take_back
from tests.make import AT, make_credits, make_customer
from tests.money_make import money_of

pytestmark = pytest.mark.usefixtures("catalogue")
CLOSED = AT + 40 * DAY
LATER = CLOSED + 40 * DAY


def findings() -> list[str]:
    return [*verify_invoices(), *check_ledger(at=LATER)]


def test_what_was_owed_for_it_is_not_asked_for() -> None:
    """M2, I1: credits pay what is left, and nothing is due."""
    customer = make_customer(balance="1")
    calls(customer, 1, AT, minutes="50")
    (wrong,) = calls(customer, 1, AT, minutes="500", key="wrong")
    take_back(customer, wrong, AT + DAY)
    assert money_of(customer.account) == ("0.1", "0", "0")
    close(CLOSED)
    assert sums_of(invoices_of(customer.account)[0]) == ("0.9", "0.9", "0", "0")
    assert findings() == []


def test_only_a_part_of_it_was_owed() -> None:
    """M2, I1: the rest of the debt is asked for to the cent."""
    customer = make_customer(balance="1")
    calls(customer, 1, AT, minutes="500")
    (wrong,) = calls(customer, 1, AT, minutes="300", key="wrong")
    take_back(customer, wrong, AT + DAY)
    assert money_of(customer.account)[2] == "8"
    close(CLOSED)
    assert sums_of(invoices_of(customer.account)[0]) == ("9", "1", "0", "8")
    assert findings() == []


def test_credits_that_came_back_pay_what_no_invoice_asks_for() -> None:
    """U3, I1: the invoice that lists it was paid; what is owed in the running cycle is paid by it."""
    customer = make_customer(balance="9")
    (wrong,) = calls(customer, 1, AT, minutes="500")
    close(CLOSED)
    calls(customer, 1, CLOSED, minutes="400")
    take_back(customer, wrong, CLOSED)
    note = invoices_of(customer.account)[1]
    assert (note.off_debt, note.as_credits) == (0, 9)
    assert money_of(customer.account) == ("1.8", "0", "0")
    close(LATER)
    refresh_payments(account_id=customer.account.id, at=LATER)
    assert to_be_paid(customer.account.id).amount == 0
    assert findings() == []


def test_another_open_invoice_goes_on_asking() -> None:
    """U3, I1: what comes back of one invoice is not taken off what another one asks for."""
    customer = make_customer(balance="9")
    (wrong,) = calls(customer, 1, AT, minutes="500")
    close(CLOSED)
    calls(customer, 1, CLOSED, minutes="400")
    close(LATER)
    take_back(customer, wrong, LATER)
    assert money_of(customer.account) == ("9", "0", "7.2")
    assert to_be_paid(customer.account.id).amount == Decimal("7.2")
    assert findings() == []


def test_late_usage_and_a_purchase_between() -> None:
    """U6, I1: an invoice that is still open, late usage on the next one, credits bought, and the first taken back."""
    customer = make_customer(balance="1")
    (first,) = calls(customer, 1, AT, minutes="100")
    close(CLOSED)
    make_credits(customer.account, "10", at=CLOSED, key="bought")
    calls(customer, 1, AT, minutes="50", key="late", told_at=CLOSED + DAY)
    calls(customer, 1, CLOSED + DAY, minutes="700", key="new")
    take_back(customer, first, CLOSED + 2 * DAY)
    close(LATER)
    refresh_payments(account_id=customer.account.id, at=LATER)
    assert to_be_paid(customer.account.id).amount == Decimal(money_of(customer.account)[2]) == Decimal("2.5")
    assert findings() == []


def test_recorded_before_the_closing_by_a_later_clock() -> None:
    """I1: a closing that began before the event and took the lock after it lists it; a credit note takes it off."""
    customer = make_customer(balance="10")
    (event,) = calls(customer, 1, AT, minutes="10", told_at=CLOSED + timedelta(minutes=9))
    close(CLOSED)
    assert findings() == []
    take_back(customer, event, CLOSED + DAY)
    invoice, note = invoices_of(customer.account)
    assert (invoice.total, note.total) == (Decimal("0.18"), Decimal("-0.18"))
    close(LATER)
    assert findings() == []


def test_recorded_after_the_closing_by_an_earlier_clock() -> None:
    """I1: an event whose clock was read before the closing's, and which got the lock after it, is on no invoice yet."""
    customer = make_customer(balance="10")
    calls(customer, 1, AT, minutes="10", key="known")
    close(CLOSED)
    (event,) = calls(customer, 1, AT, minutes="500", key="behind", told_at=CLOSED - timedelta(microseconds=1))
    take_back(customer, event, CLOSED + DAY)
    close(LATER)
    assert [lines_of(one) for one in invoices_of(customer.account)] == [[("usage", "pstn", "credits", Decimal("0.18"))]]
    assert findings() == []


@pytest.mark.parametrize("credited", ["18", "17"])
def test_invoice_that_staff_had_credited(credited: str) -> None:
    """I1: what no credit note can say any more stays listed, and swallows no later usage of the same period."""
    customer = make_customer(balance="30")
    (wrong,) = calls(customer, 1, AT, minutes="1000")
    close(CLOSED)
    (invoice,) = invoices_of(customer.account)
    issue_credit_note(invoice_id=invoice.id, amount=Decimal(credited), note="Sorry", actor=SYSTEM, at=CLOSED)
    take_back(customer, wrong, CLOSED + DAY)
    calls(customer, 1, AT, minutes="10", key="late", told_at=CLOSED + DAY)
    close(LATER)
    assert lines_of(invoices_of(customer.account)[-1]) == [("adjustment", "pstn", "credits", Decimal("0.18"))]
    assert sum(one.total for one in Invoice.objects.filter(corrects=invoice)) == -18
    assert findings() == []


def test_paid_before_any_invoice_asked_for_it() -> None:
    """M4, I1: the payment comes back once, and pays no later invoice; the next one asks for what is used then."""
    customer = make_customer("pro")
    (wrong,) = calls(customer, 1, AT, minutes="1000")
    buy(customer, "50", AT + DAY)
    assert money_of(customer.account) == ("32", "0", "0")
    take_back(customer, wrong, AT + 2 * DAY)
    assert (money_of(customer.account), findings()) == (("50", "0", "0"), [])
    calls(customer, 1, AT + 3 * DAY, minutes="500", key="right")
    close(CLOSED)
    assert to_be_paid(customer.account.id).amount == 9
    assert (money_of(customer.account), findings()) == (("50", "0", "9"), [])


def test_credits_bought_for_it_pay_the_next_usage() -> None:
    """M2, I1: on a plan of credits the document says that credits paid."""
    customer = make_customer()
    (wrong,) = calls(customer, 1, AT, minutes="100")
    buy(customer, "20", AT + DAY)
    take_back(customer, wrong, AT + 2 * DAY)
    assert findings() == []
    calls(customer, 1, AT + 3 * DAY, minutes="50", key="right")
    close(CLOSED)
    assert sums_of(invoices_of(customer.account)[0]) == ("0.9", "0.9", "0", "0")
    assert (money_of(customer.account), findings()) == (("19.1", "0", "0"), [])


def test_twice_in_a_row() -> None:
    """U3, I1: what came back of a paid invoice paid for newer usage, and that is taken back as well."""
    customer = make_customer("pro")
    (first,) = calls(customer, 1, AT, minutes="1000")
    close(CLOSED)
    settle(customer, "18", CLOSED)
    (second,) = calls(customer, 1, CLOSED, minutes="500", key="second")
    take_back(customer, first, CLOSED + DAY)
    assert money_of(customer.account) == ("9", "0", "0")
    take_back(customer, second, CLOSED + DAY)
    assert (money_of(customer.account), findings()) == (("18", "0", "0"), [])
    calls(customer, 1, CLOSED + 2 * DAY, minutes="500", key="third")
    close(LATER)
    assert to_be_paid(customer.account.id).amount == Decimal(money_of(customer.account)[2]) == 9
    assert findings() == []


def test_staff_had_credited_half_of_an_open_invoice() -> None:
    """I1: what the invoice still asked for is taken off, whatever else is owed; the rest comes back."""
    customer = make_customer()
    (wrong,) = calls(customer, 1, AT, minutes="1000")
    close(CLOSED)
    (invoice,) = invoices_of(customer.account)
    issue_credit_note(invoice_id=invoice.id, amount=Decimal(9), note="Sorry", actor=SYSTEM, at=CLOSED)
    calls(customer, 1, CLOSED, minutes="100", key="new")
    take_back(customer, wrong, CLOSED + DAY)
    note = invoices_of(customer.account)[2]
    assert (note.off_debt, note.as_credits, to_be_paid(customer.account.id).amount) == (9, 0, 0)
    assert (money_of(customer.account), findings()) == (("7.2", "0", "0"), [])
    close(LATER)
    assert (to_be_paid(customer.account.id).amount, findings()) == (0, [])
