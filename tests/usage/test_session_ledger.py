"""The session ledger: lines, their order in pages, and what each is made of."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.periods import Period
from billing.subscriptions.queries import terms_of
from billing.usage.queries import MeterReading
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.session_ledger import Position, SessionLine, breakdown_of, session_lines
from tests.make import AT, Customer, make_customer
from tests.money_make import event, report
from tests.usage.readings import rows_read

MINUTE = timedelta(minutes=1)
_SESSIONS = """
    INSERT INTO billing_usage_sessionrollup (
        account_id, period_start, workspace_id, session, office, agent, first_at, last_at, requests, input_tokens,
        output_tokens, cached_input_tokens, cost, own_key_cost)
    SELECT %s, %s, %s, 's-' || n, '', '', moment, moment, 1, 1, 1, 0, 1, 0
      FROM generate_series(1, 20000) AS n, LATERAL (SELECT %s - n * interval '1 second') AS t (moment)
"""
pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def customer() -> Customer:
    return make_customer("pro", at=AT - timedelta(days=1))


def period_of(customer: Customer) -> Period:
    return terms_of(customer.account.id, AT).period(AT)


def lines(customer: Customer, *, size: int = 100) -> list[SessionLine]:
    """All pages of the ledger, one after another."""
    found: list[SessionLine] = []
    while True:
        before = found[-1].position if found else None
        page = session_lines(account_id=customer.account.id, period=period_of(customer), limit=size, before=before)
        found += page
        if len(page) < size:
            return found


def used(customer: Customer, session: str, minutes: int, **fields: object) -> None:
    report(customer, event(session=session, occurred_at=(AT - minutes * MINUTE).isoformat(), **fields))


def test_line_adds_up_folded_and_waiting_usage(customer: Customer) -> None:
    """U5: requests, tokens, cost, first and last time, whether the worker has been there or not."""
    used(customer, "s-1", 9, model="gpt-4o", input_tokens=100, output_tokens=10, office="sales", agent="anna")
    flush_all_rollups()
    used(customer, "s-1", 3, model="gpt-4o", input_tokens=200, output_tokens=20)
    used(customer, "s-1", 12, product="pstn", quantity="2")
    (half,) = lines(customer)
    flush_all_rollups()
    (whole,) = lines(customer)
    assert half == whole
    assert (whole.session, whole.workspace_id) == ("s-1", customer.workspace.id)
    assert (whole.office, whole.agent) == ("sales", "anna")
    assert (whole.first_at, whole.last_at) == (AT - 12 * MINUTE, AT - 3 * MINUTE)
    assert (whole.requests, whole.input_tokens, whole.output_tokens) == (2, 300, 30)
    assert whole.cost == sum(one.cost for one in breakdown(customer, "s-1"))


def breakdown(customer: Customer, session: str) -> list[MeterReading]:
    workspace_id = customer.workspace.id
    period = period_of(customer)
    return list(breakdown_of(account_id=customer.account.id, period=period, workspace_id=workspace_id, session=session))


def test_page_reads_no_more_than_its_lines(customer: Customer) -> None:
    """U4, U5: of twenty thousand sessions at rest, by their index, from any position; what waits is added to that."""
    values = [customer.account.id, period_of(customer).start, customer.workspace.id, AT]
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS, values)
        cursor.execute("ANALYZE billing_usage_sessionrollup")
    used(customer, "s-7", 1)
    position: Position | None = None
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            page = session_lines(account_id=customer.account.id, period=period_of(customer), limit=50, before=position)
        assert len(page) == 50
        assert rows_read(queries[0]["sql"]) <= 50 + 10
        position = page[-1].position
