"""Closing a cycle: what stands on the invoice, and what the tenant is told (I1, U6)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.invoices.models import Invoice, InvoiceLine, InvoicePayment
from billing.invoices.services.verify_invoices import verify_invoices
from billing.notifications.models import Notice
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.invoices.cycling import DAY, HOUR, calls, close, cycles_of, invoices_of, lines_of, runs, sums_of
from tests.make import AT, make_credits, make_customer

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.mark.parametrize("folded", [True, False])
def test_usage_paid_from_credits(folded: bool) -> None:
    """I1, M11: each product is a line, rounded once; credits have paid it, nothing is due, and the sums agree."""
    customer = make_customer(balance="10")
    end = terms_of(customer.account.id, AT).period(AT).end
    runs(customer, 3, AT)
    calls(customer, 2, AT)
    if folded:
        flush_all_rollups()
    assert close(end + HOUR - timedelta(seconds=1)) == 0
    assert close(end + HOUR) == 1
    (invoice,) = invoices_of(customer.account)
    lines = InvoiceLine.objects.filter(invoice=invoice)
    assert [(line.product, line.funding, line.rated, line.amount) for line in lines] == [
        ("pstn", "credits", Decimal("0.036"), Decimal("0.04")),
        ("llm", "credits", Decimal("0.0225"), Decimal("0.02")),
    ]
    (model,) = lines.get(product="llm").details
    assert (model["requests"], model["cost"]) == (3, "0.022500000")
    assert sums_of(invoice) == ("0.06", "0.06", "0", "0")
    assert InvoicePayment.objects.get(invoice=invoice).status == "paid"
    assert (invoice.period_start, invoice.period_end, invoice.issued_at) == (AT.replace(hour=0), end, end + HOUR)
    assert verify_invoices() == []


def test_usage_that_credits_lacked_is_due() -> None:
    """I1, M2: what was owed for want of credits is due, to the cent, whatever is bought in the next cycle."""
    customer = make_customer(balance="0.05")
    end = terms_of(customer.account.id, AT).period(AT).end
    calls(customer, 10, AT)  # 0.18, of which 0.13 is owed
    make_credits(customer.account, "5", at=end + timedelta(minutes=5))
    calls(customer, 1, end + timedelta(minutes=6))
    assert close(end + HOUR) == 1
    (invoice,) = invoices_of(customer.account)
    assert lines_of(invoice) == [("usage", "pstn", "credits", Decimal("0.18"))]
    assert sums_of(invoice) == ("0.18", "0.05", "0", "0.13")
    assert InvoicePayment.objects.get(invoice=invoice).status == "open"
    assert close(end + 40 * DAY) == 1
    assert sums_of(invoices_of(customer.account)[1]) == ("0.02", "0.02", "0", "0")
    assert verify_invoices() == []


def test_usage_that_is_recorded_while_the_cycle_ends() -> None:
    """I1, M2: what is told after the end and lacks credits is due on that cycle's invoice, the next one's is not."""
    customer = make_customer(balance="0.18")
    end = terms_of(customer.account.id, AT).period(AT).end
    calls(customer, 10, AT)
    calls(customer, 10, AT, key="late", told_at=end + timedelta(minutes=1))
    calls(customer, 5, end + timedelta(minutes=2))
    close(end + HOUR)
    (invoice,) = invoices_of(customer.account)
    assert sums_of(invoice) == ("0.36", "0.18", "0", "0.18")
    close(end + 40 * DAY)
    assert sums_of(invoices_of(customer.account)[1]) == ("0.09", "0", "0", "0.09")
    assert verify_invoices() == []


def test_plan_with_included_usage() -> None:
    """I1, U7: what the plan includes is listed without a price, what is metered beside it is due."""
    customer = make_customer("pro")
    end = terms_of(customer.account.id, AT).period(AT).end
    runs(customer, 2, AT)
    calls(customer, 10, AT)
    close(end + HOUR)
    (invoice,) = invoices_of(customer.account)
    assert lines_of(invoice) == [("usage", "pstn", "invoice", Decimal("0.18")), ("usage", "llm", "included", 0)]
    assert sums_of(invoice) == ("0.18", "0", "0", "0.18")
    assert verify_invoices() == []


def test_nothing_charged_is_no_invoice() -> None:
    """I1: a cycle without a charge, or with less than a minor unit, closes without a document; the rest is not lost."""
    customer = make_customer("free")
    spender = make_customer(balance="1")
    runs(customer, 2, AT)
    runs(spender, 1, AT, key="first")  # 0.0075 rounds to a cent
    end = terms_of(spender.account.id, AT).period(AT).end
    assert close(end + HOUR) == 2
    assert (invoices_of(customer.account), len(invoices_of(spender.account))) == ([], 1)
    assert [state for _, _, state in cycles_of(customer.account)] == ["closed", "open"]
    assert Notice.objects.filter(kind="invoice-ready").count() == 1


def test_late_event_after_finalisation() -> None:
    """U6: usage told after the invoice is an adjustment on the next one, with its own period; the first stays."""
    customer = make_customer(balance="10")
    end = terms_of(customer.account.id, AT).period(AT).end
    runs(customer, 4, AT)
    close(end + HOUR)
    (first,) = invoices_of(customer.account)
    seal = first.content_hash
    runs(customer, 2, AT, key="late", told_at=end + 2 * HOUR)
    calls(customer, 1, end + 2 * HOUR)
    close(end + 40 * DAY)
    first, second = invoices_of(customer.account)
    assert first.content_hash == seal
    assert lines_of(second) == [
        ("usage", "pstn", "credits", Decimal("0.02")),
        ("adjustment", "llm", "credits", Decimal("0.02")),
    ]
    late = InvoiceLine.objects.get(invoice=second, kind="adjustment")
    assert (late.period_start, late.period_end, late.requests) == (AT.replace(hour=0), end, 2)
    assert [detail["requests"] for detail in late.details] == [2]
    assert verify_invoices() == []


def test_documents_follow_each_other() -> None:
    """I1: numbers without gaps, each names the one before it; missed cycles are closed in order by one run."""
    customer = make_customer(balance="10")
    for months in range(3):
        runs(customer, 2, AT + months * 31 * DAY)
    assert close(AT + 100 * DAY) == 3
    documents = invoices_of(customer.account)
    assert [one.number[-4:] for one in documents] == ["0001", "0002", "0003"]
    assert [one.previous_hash for one in documents[1:]] == [one.content_hash for one in documents[:-1]]
    ends = [end for _, end, _ in cycles_of(customer.account)]
    assert [start for start, _, _ in cycles_of(customer.account)][1:] == ends[:-1]
    assert close(AT + 100 * DAY) == 0
    told = " ".join(Notice.objects.filter(kind="invoice-ready").values_list("subject", flat=True))
    assert [one.number in told for one in documents] == [False, True, True]  # the first month is long ago


def test_change_of_plan_ends_the_cycle() -> None:
    """P10, I1: where another plan begins periods of its own, the cycle ends then; usage is charged as it was funded."""
    customer = make_customer(balance="10")
    changed = AT + 5 * DAY
    close(AT)
    runs(customer, 2, AT)
    subscribe(account_id=customer.account.id, plan_slug="pro", at=changed)
    calls(customer, 10, changed + HOUR)
    assert close(changed + 2 * HOUR) == 1
    assert cycles_of(customer.account)[0][:2] == (AT.replace(hour=0), changed)
    close(changed + 40 * DAY)
    first, second = invoices_of(customer.account)
    assert lines_of(first) == [("usage", "llm", "credits", Decimal("0.02"))]
    assert lines_of(second) == [("usage", "pstn", "invoice", Decimal("0.18"))]
    assert verify_invoices() == []


def test_period_that_begins_before_its_plan() -> None:
    """I1, P5: a period counts from Stripe’s second, its plan from our microsecond; its usage is of the new cycle."""
    customer = make_customer(balance="10")
    changed = AT + timedelta(days=5, microseconds=433_428)
    runs(customer, 2, AT)
    present = subscribe(account_id=customer.account.id, plan_slug="pro", at=changed)
    Subscription.objects.filter(id=present.id).update(anchor=changed.replace(microsecond=0))
    calls(customer, 10, changed + timedelta(seconds=6))
    assert close(changed + HOUR) == 1
    assert [lines_of(one) for one in invoices_of(customer.account)] == [[("usage", "llm", "credits", Decimal("0.02"))]]
    close(changed + 40 * DAY)
    assert lines_of(invoices_of(customer.account)[-1]) == [("usage", "pstn", "invoice", Decimal("0.18"))]
    assert verify_invoices() == []


def test_plans_of_two_kinds_in_one_period() -> None:
    """I1: where a period had a plan of credits and one of invoices, its events say who pays for what."""
    customer = make_customer(balance="10")
    start = AT.replace(hour=0)
    runs(customer, 2, AT)
    calls(customer, 5, AT)
    present = subscribe(account_id=customer.account.id, plan_slug="pro", at=AT + DAY)
    Subscription.objects.filter(id=present.id).update(anchor=start)
    calls(customer, 5, AT + 2 * DAY)
    close(AT + 40 * DAY)
    (invoice,) = invoices_of(customer.account)
    assert sorted(lines_of(invoice)) == [
        ("usage", "llm", "credits", Decimal("0.02")),
        ("usage", "pstn", "credits", Decimal("0.09")),
        ("usage", "pstn", "invoice", Decimal("0.09")),
    ]
    assert sums_of(invoice) == ("0.2", "0.11", "0", "0.09")
    assert verify_invoices() == []


def test_tenant_is_told_in_the_same_transaction() -> None:
    """N1: the e-mail names the number and what is due, once."""
    customer = make_customer(balance="0.05")
    calls(customer, 10, AT)
    close(AT + 40 * DAY)
    (invoice,) = invoices_of(customer.account)
    notice = Notice.objects.get(kind="invoice-ready")
    assert invoice.number in notice.subject
    assert "0.13 USD is due" in notice.body
    assert Invoice.objects.count() == 1


def test_what_never_came_to_a_cent() -> None:
    """M11, I1: months of a fraction of a cent are no invoice, and no lines of nothing on a later one."""
    customer = make_customer("payg", balance="10")
    for month in range(3):
        calls(customer, 1, AT + month * 31 * DAY, minutes="0.2", key=f"month-{month}")
    assert close(AT + 94 * DAY) == 3
    assert invoices_of(customer.account) == []
    calls(customer, 1, AT + 96 * DAY, minutes="10")
    close(AT + 130 * DAY)
    assert [lines_of(one) for one in invoices_of(customer.account)] == [[("usage", "pstn", "credits", Decimal("0.18"))]]
    assert verify_invoices() == []


def test_queries_of_a_closing() -> None:
    """I1: as many statements for a thousand events as for one; a run without anything due takes three."""
    counts = []
    for events in (1, 40):
        customer = make_customer(balance="10", at=AT + events * DAY)
        runs(customer, events, AT + events * DAY)
        end = terms_of(customer.account.id, AT + events * DAY).period(AT + events * DAY).end
        close(AT + events * DAY, customer.account)
        with CaptureQueriesContext(connection) as queries:
            assert close(end, customer.account) == 1
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 48
    with CaptureQueriesContext(connection) as queries:
        assert close(AT) == 0
    assert len(queries) == 3
