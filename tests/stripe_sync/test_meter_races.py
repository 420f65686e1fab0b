"""Reports of usage with several workers at once."""

from decimal import Decimal

import pytest

from billing.stripe_sync.models import MeterReport
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.report_meters import report_meters
from billing.stripe_sync.services.send_meter_reports import send_meter_reports
from sandbox.stripe.process import StripeSandbox
from tests.make import AT
from tests.money_make import in_threads
from tests.stripe_sync.metered import call, counted, make_subscriber
from tests.stripe_sync.paying import stripe_now

pytestmark = pytest.mark.usefixtures("own_database")


def test_workers_at_once_report_once(stripe: StripeSandbox) -> None:
    """S7: eight workers write and send what one would."""
    push_catalogue(at=AT)
    customers = [make_subscriber(stripe), make_subscriber(stripe)]
    for customer in customers:
        call(customer, stripe, "100")
    at = stripe_now(stripe)
    assert sum(in_threads(lambda _: report_meters(at=at), 8, threads=8)) == 2
    assert sum(in_threads(lambda _: send_meter_reports(at=at), 8, threads=8)) == 2
    assert [counted(customer, stripe) for customer in customers] == [Decimal("1.8")] * 2
    MeterReport.objects.update(sent_at=None)  # as if each had died before it could say so
    assert sum(in_threads(lambda _: send_meter_reports(at=at), 8, threads=8)) == 2
    assert [counted(customer, stripe) for customer in customers] == [Decimal("1.8")] * 2
