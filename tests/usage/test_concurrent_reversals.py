"""Several of the staff take the same event back at once."""

import pytest

from billing.core.ids import decode_id
from billing.credits.services.check_ledger import check_ledger
from billing.usage.models import UsageEvent
from billing.usage.services.reverse_event import reverse_event
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer
from tests.money_make import event, in_threads, money_of, report

pytestmark = pytest.mark.usefixtures("own_database")


def test_one_reversal_and_one_refund() -> None:
    """U3: whoever comes second gets the first reversal."""
    customer = make_customer(balance="0.005")
    wrong = decode_id("evt", str(report(customer, event())[0].event_id))

    def reverse(number: int) -> UsageEvent:
        return reverse_event(account_id=customer.account.id, event_id=wrong, reason=str(number), at=AT, actor=SYSTEM)

    assert len(set(in_threads(reverse, 8, threads=8))) == 1
    assert UsageEvent.objects.filter(reverses_id=wrong).count() == 1
    assert money_of(customer.account) == ("0.005", "0", "0")
    assert AuditEvent.objects.filter(action="usage_event.reversed").count() == 1
    assert check_ledger(at=AT) == []
