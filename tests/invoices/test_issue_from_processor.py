"""Documents of the payment processor's invoices: complete, and due to the cent (I1, S7)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from billing.core.periods import Period
from billing.credits.services.settle_receivable import settle_receivable
from billing.invoices.errors import DocumentDisagrees
from billing.invoices.models import Invoice
from billing.invoices.processor import ProcessorInvoice, ProcessorLine, ProcessorLineKind, ProcessorTax
from billing.invoices.queries import remaining_of
from billing.invoices.services.issue_from_processor import issue_from_processor
from billing.invoices.services.verify_invoices import verify_invoices
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.services.subscribe import subscribe
from tests.invoices.cycling import DAY, HOUR, calls, close, cycles_of, invoices_of, lines_of, runs, sums_of, take_back
from tests.make import AT, Customer, make_customer
from tests.money_make import in_threads, money_of

END = datetime.fromisoformat("2026-04-10T12:00:00+00:00")


def subscriber() -> Customer:
    """On Pro by an agreement whose first period ends at END."""
    customer = make_customer("pro")
    subscription = Subscription.objects.get(account=customer.account)
    agreement = Agreement.objects.create(
        account=customer.account,
        external_id=f"sub_{customer.tenant.slug}",
        status=Agreement.Status.ACTIVE,
        plan_version=subscription.plan_version,
        interval="monthly",
        variant="standard",
        anchor=AT,
        started_at=AT,
        period_start=AT,
        period_end=END,
        governs=True,
        synced_at=AT,
    )
    Subscription.objects.filter(id=subscription.id).update(agreement=agreement, anchor=AT, starts_at=AT)
    close(AT)
    return customer


def asked(
    *amounts: tuple[ProcessorLineKind, str], name: str = "in_1", at: datetime = END, tax: str = "", renews: bool = True
) -> ProcessorInvoice:
    """A renewal with these lines."""
    period = Period(AT, END)
    lines = [
        ProcessorLine(f"il_{place}", kind, f"Line {place}", Decimal(1), Decimal(amount), period, product="pstn")
        for place, (kind, amount) in enumerate(amounts)
    ]
    taxes = [ProcessorTax("VAT", Decimal(19), "DE", Decimal(tax))] if tax else []
    total = sum((line.amount for line in lines), start=Decimal(0)) + Decimal(tax or 0)
    return ProcessorInvoice(name, f"N-{name}", at, "USD", renews, period, lines, taxes, total)


def issue(customer: Customer, invoice: ProcessorInvoice, at: datetime = END + HOUR) -> Invoice:
    document = issue_from_processor(account_id=customer.account.id, invoice=invoice, at=at)
    assert document is not None
    return document


def end(customer: Customer, *, at: datetime) -> None:
    """The subscription, without a last invoice."""
    ended = {"status": "canceled", "governs": False, "ended_at": at, "period_end": at}
    Agreement.objects.filter(account=customer.account).update(**ended)
    subscribe(account_id=customer.account.id, plan_slug="free", at=at)


PLAN, METERED, PRORATION = ProcessorLineKind.PLAN, ProcessorLineKind.METERED, ProcessorLineKind.PRORATION


@pytest.mark.usefixtures("catalogue")
class TestRenewal:
    def test_closes_the_cycle(self) -> None:
        """I1, S7: plan, usage, what is included, tax as computed; due is the processor's total; one cycle is closed."""
        customer = subscriber()
        runs(customer, 2, AT + DAY)
        calls(customer, 10, AT + DAY)
        assert close(END + HOUR) == 0
        assert cycles_of(customer.account) == [(AT, END, "waiting")]
        document = issue(customer, asked((PLAN, "9.00"), (METERED, "0.18"), tax="1.74"))
        assert lines_of(document) == [
            ("subscription", "", "", Decimal("9.00")),
            ("usage", "pstn", "invoice", Decimal("0.18")),
            ("usage", "llm", "included", 0),
        ]
        assert sums_of(document) == ("10.92", "0", "0", "10.92")
        assert (document.tax, document.external_number) == (Decimal("1.74"), "N-in_1")
        assert [state for _, _, state in cycles_of(customer.account)] == ["closed", "open"]
        assert issue(customer, asked((PLAN, "9.00"), (METERED, "0.18"), tax="1.74")) == document
        assert (close(END + 2 * HOUR), len(invoices_of(customer.account)), verify_invoices()) == (0, 1, [])

    def test_usage_that_is_not_asked_for_yet(self) -> None:
        """I1, S7: what the meter had not counted is listed and carried over, and the next one asks for it."""
        customer = subscriber()
        calls(customer, 10, AT + DAY)
        first = issue(customer, asked((PLAN, "9.00"), (METERED, "0.10")))
        assert sums_of(first) == ("9.18", "0", "-0.08", "9.1")
        calls(customer, 10, END + DAY)
        end = END + 30 * DAY
        second = issue(customer, asked((PLAN, "9.00"), (METERED, "0.26"), name="in_2", at=end), at=end + HOUR)
        assert sums_of(second) == ("9.18", "0", "0.08", "9.26")
        assert verify_invoices() == []

    def test_clock_of_the_processor_is_ahead(self) -> None:
        """I1: a renewal of the future lists what was metered by now, and our cycle goes on."""
        customer = subscriber()
        calls(customer, 10, AT + DAY)
        document = issue(customer, asked((PLAN, "9.00"), (METERED, "0.18")), at=AT + 2 * DAY)
        assert sums_of(document) == ("9.18", "0", "0", "9.18")
        assert [state for _, _, state in cycles_of(customer.account)] == ["open"]
        calls(customer, 5, AT + 3 * DAY)
        later = asked((PLAN, "9.00"), (METERED, "0.09"), name="in_2", at=END + 30 * DAY)
        assert lines_of(issue(customer, later, at=AT + 4 * DAY))[1:] == [("usage", "pstn", "invoice", Decimal("0.09"))]
        assert verify_invoices() == []

    def test_usage_taken_back(self) -> None:
        """I1, U3: a credit note of usage that the processor will ask less for stands on its next invoice."""
        customer = subscriber()
        wrong, *_ = calls(customer, 10, AT + DAY, minutes="10")
        first = issue(customer, asked((PLAN, "9.00"), (METERED, "1.80")))
        take_back(customer, wrong, END + HOUR)
        assert len(invoices_of(customer.account)) == 2
        assert remaining_of(first.id) == first.amount_due  # the processor asks for it as before, and for less next time
        calls(customer, 10, END + DAY, minutes="10")
        end = END + 30 * DAY
        second = issue(customer, asked((PLAN, "9.00"), (METERED, "1.62"), name="in_2", at=end), at=end + HOUR)
        assert lines_of(second)[1:] == [
            ("usage", "pstn", "invoice", Decimal("1.80")),
            ("credit", "", "", Decimal("-0.18")),
        ]
        assert sums_of(second) == ("10.62", "0", "0", "10.62")
        assert (first.number[-4:], second.number[-4:], verify_invoices()) == ("0001", "0002", [])

    def test_usage_taken_back_and_the_subscription_ended(self) -> None:
        """I1, U3: what the processor takes off no more stands on our own invoice; later notes give credits."""
        customer = subscriber()
        wrong, other, *_ = calls(customer, 10, AT + DAY, minutes="10")
        issue(customer, asked((PLAN, "9.00"), (METERED, "1.80")))
        settle_receivable(
            credits_id=customer.account.credits_id,
            receivable_id=customer.account.receivable_id,
            amount=Decimal("1.80"),
            idempotency_key="invoice:in_1",
            at=END + HOUR,
        )
        calls(customer, 1, END + DAY, minutes="100")
        take_back(customer, wrong, END + DAY)
        end(customer, at=END + 2 * DAY)
        take_back(customer, other, END + 3 * DAY)
        assert [(one.off_debt, one.as_credits) for one in invoices_of(customer.account)[1:]] == [
            (Decimal("0.18"), 0),
            (0, Decimal("0.18")),
        ]
        close(END + 60 * DAY)
        last = invoices_of(customer.account)[-1]
        assert [(kind, amount) for kind, _, _, amount in lines_of(last)] == [
            ("usage", Decimal("1.80")),
            ("credit", Decimal("-0.18")),
        ]
        assert (remaining_of(last.id), money_of(customer.account)[2], verify_invoices()) == (
            Decimal("1.62"),
            "1.62",
            [],
        )

    def test_renewal_that_never_comes(self) -> None:
        """I1: after three days the cycle is closed all the same; the processor will ask for what it lists."""
        customer = subscriber()
        calls(customer, 10, AT + DAY)
        assert (close(END + 71 * HOUR), close(END + 73 * HOUR)) == (0, 1)
        (own,) = invoices_of(customer.account)
        assert sums_of(own) == ("0.18", "0", "-0.18", "0")
        late = issue(customer, asked((PLAN, "9.00"), (METERED, "0.18")), at=END + 80 * HOUR)
        assert sums_of(late) == ("9", "0", "0.18", "9.18")
        assert verify_invoices() == []

    def test_subscription_that_has_ended(self) -> None:
        """I1: without a subscription the account's own invoice asks for what was carried over."""
        customer = subscriber()
        calls(customer, 10, AT + DAY)
        issue(customer, asked((METERED, "0.10")))
        Agreement.objects.update(status="canceled", ended_at=END, governs=False)
        calls(customer, 10, END + DAY)
        assert close(END + 40 * DAY) == 1
        last = invoices_of(customer.account)[-1]
        assert sums_of(last) == ("0.18", "0", "0.08", "0.26")
        assert verify_invoices() == []


@pytest.mark.usefixtures("catalogue")
class TestOtherInvoices:
    def test_begin_and_change_of_a_plan(self) -> None:
        """I1, P10: taken over line by line; no usage, no cycle."""
        customer = subscriber()
        calls(customer, 10, AT + DAY)
        first = issue(customer, asked((PLAN, "9.00"), renews=False), at=AT + DAY)
        change = asked((PRORATION, "-4.50"), (PRORATION, "10.00"), name="in_2", renews=False)
        second = issue(customer, change, at=AT + 2 * DAY)
        assert [(one.reason, sums_of(one)[3]) for one in (first, second)] == [
            ("subscription", "9"),
            ("subscription", "5.5"),
        ]
        assert [state for _, _, state in cycles_of(customer.account)] == ["open"]
        assert verify_invoices() == []

    def test_lines_that_are_not_the_total(self) -> None:
        """I1: nothing is issued that does not add up."""
        customer = subscriber()
        wrong = asked((PLAN, "9.00"), renews=False)
        with pytest.raises(DocumentDisagrees, match=r"in_1 come to 9\.00"):
            issue(customer, replace(wrong, total=Decimal("9.01")))
        assert invoices_of(customer.account) == []

    def test_nothing_is_no_document(self) -> None:
        """I1: a renewal of zero closes the cycle without one."""
        customer = subscriber()
        invoice = asked((METERED, "0.00"))
        assert issue_from_processor(account_id=customer.account.id, invoice=invoice, at=END + HOUR) is None
        assert [state for _, _, state in cycles_of(customer.account)] == ["closed", "open"]


@pytest.mark.usefixtures("own_database")
def test_renewal_and_schedulers_at_once() -> None:
    """I1: whoever comes first, one document of a renewal and one closing."""
    customer = subscriber()
    calls(customer, 10, AT + DAY)
    at = END + timedelta(hours=74)  # the scheduler waits no longer
    renewal = asked((PLAN, "9.00"), (METERED, "0.18"))
    in_threads(lambda n: close(at) if n % 2 else issue(customer, renewal, at=at), 8, threads=8)
    issued = invoices_of(customer.account)
    assert sorted(one.external_id for one in issued) in (["in_1"], ["", "in_1"])
    assert sum((one.amount_due for one in issued), start=Decimal(0)) == Decimal("9.18")
    assert [state for _, _, state in cycles_of(customer.account)] == ["closed", "open"]
    assert verify_invoices() == []
