"""Days and periods are UTC's, whatever zone the database, the server and the callers live in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from billing.core.problems import Problem
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.usage.models import Counter, UsageEvent, UsageRollup
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.make import AT, make_customer
from tests.money_make import event, finish, report, start

EAST = "Pacific/Kiritimati"  # fourteen hours ahead
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)


@pytest.fixture
def east_of_utc(own_database: None) -> Iterator[None]:
    """A process that shows times of the east, on a database whose sessions begin there."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {connection.settings_dict['NAME']} SET TimeZone = '{EAST}'")
    connection.close()
    with timezone.override(EAST):
        yield


@pytest.mark.usefixtures("east_of_utc")
def test_account_east_of_utc_is_invoiced_twice() -> None:
    """P3, P5: a cap's day ends at midnight UTC, and what happened before it lies in that day and period once."""
    customer = make_customer("pro", at=AT)
    override_entitlement(
        account_id=customer.account.id, feature="spend_cap_per_user_day", value="0.01", reason="x", at=AT
    )
    finish(customer, start(customer, user="bob"))
    with pytest.raises(Problem, match="spend-cap-exceeded"):
        start(customer, user="bob", at=MIDNIGHT - timedelta(microseconds=1))
    finish(customer, start(customer, user="bob", at=MIDNIGHT), at=MIDNIGHT)
    local = datetime(2026, 3, 11, 13, 30, tzinfo=timezone.get_current_timezone())  # 23:30 UTC the day before
    report(customer, event(occurred_at=local.isoformat()), at=MIDNIGHT + timedelta(days=1))
    flush_all_rollups()
    days = UsageRollup.objects.order_by("day").values_list("day", "requests", "cost")
    assert [(str(day), requests, cost) for day, requests, cost in days] == [
        ("2026-03-10", 2, Decimal("0.015")), ("2026-03-11", 1, Decimal("0.0075")),
    ]  # fmt: skip
    spent = Counter.objects.filter(feature="spend_cap_per_day").order_by("window_start")
    assert list(spent.values_list("window_start", "used")) == [
        (MIDNIGHT - timedelta(days=1), Decimal("0.015")), (MIDNIGHT, Decimal("0.0075")),
    ]  # fmt: skip
    period = terms_of(customer.account.id, AT).period(AT)
    assert set(UsageEvent.objects.values_list("period_start", flat=True)) == {period.start}
    assert period.start == AT
