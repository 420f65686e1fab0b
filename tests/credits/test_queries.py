"""Reading balances and the ledger."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.queries import Balance, LedgerEntry, balance_of, ledger_of
from billing.credits.services.open_ledger_account import open_ledger_account
from billing.credits.services.post_transfer import post_transfer
from tests.make import AT
from tests.money_make import capture, hold, make_grant, make_ledger, revenue, spend

pytestmark = pytest.mark.django_db
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def make_receivable() -> LedgerAccount:
    return open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency="USD", at=AT)


def figures(ledger: LedgerAccount, at: datetime) -> tuple[Decimal, Decimal, Decimal]:
    balance = balance_of(credits_id=ledger.id, receivable_id=make_receivable().id, at=at)
    return balance.posted, balance.held, balance.available


def owe(receivable: LedgerAccount, amount: str, at: datetime = AT) -> Transfer:
    return post_transfer(
        debit_account=receivable.id,
        credit_account=revenue(),
        amount=Decimal(amount),
        reason=Transfer.Reason.USAGE,
        idempotency_key=f"owe {amount} {at}",
        at=at,
    )


def test_balance_of_money_held_and_owed() -> None:
    """M3: holds are in the balance and not in what can be spent; debt stands beside it."""
    ledger, receivable = make_ledger("10"), make_receivable()
    hold(ledger, "4")
    spend(ledger, "1")
    owe(receivable, "2.5")
    balance = balance_of(credits_id=ledger.id, receivable_id=receivable.id, at=AT)
    assert balance == Balance("USD", Decimal(9), Decimal(4), Decimal("2.5"))
    assert balance.available == 5


def test_expired_grant_counts_no_more_before_any_sweep() -> None:
    """M3, M6: the balance is right at every instant, whoever sweeps and when."""
    ledger = make_ledger("10")
    make_grant(ledger, "5", expires_at=AT + DAY)
    spend(ledger, "2")
    assert figures(ledger, AT + DAY - SECOND) == (13, 0, 13)
    assert figures(ledger, AT + DAY) == (10, 0, 10)


def test_expired_grant_with_a_hold_on_it() -> None:
    """M3, M6: what a hold will burn of an expired grant is in the balance, and cannot be spent."""
    ledger = make_ledger("10")
    make_grant(ledger, "5", expires_at=AT + DAY)
    hold(ledger, "3")
    assert figures(ledger, AT + DAY) == (13, 3, 10)


def test_balance_takes_two_queries(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    """M3: however many grants there are."""
    ledger, receivable = make_ledger(), make_receivable()
    for days in range(1, 6):
        make_grant(ledger, "1", expires_at=AT + days * DAY)
    with django_assert_num_queries(2):
        assert balance_of(credits_id=ledger.id, receivable_id=receivable.id, at=AT + 3 * DAY).posted == 2


def pages(ledger: LedgerAccount, receivable: LedgerAccount, size: int) -> list[list[LedgerEntry]]:
    found: list[list[LedgerEntry]] = []
    before = None
    while page := ledger_of(credits_id=ledger.id, receivable_id=receivable.id, limit=size, before=before):
        found.append(page)
        before = page[-1].at, page[-1].id
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_of_the_ledger_hold_each_line_once(size: int) -> None:
    """M1: newest first, many lines at one instant included; what comes in meanwhile moves nothing."""
    ledger, receivable = make_ledger("10"), make_receivable()
    for number in range(5):
        spend(ledger, "1", at=AT + number // 2 * SECOND)
    owe(receivable, "3", at=AT + 5 * SECOND)
    found = [line for page in pages(ledger, receivable, size) for line in page]
    assert sorted(line.amount for line in found) == [-3, -1, -1, -1, -1, -1, 10]
    assert len({line.id for line in found}) == 7
    assert [line.amount for line in found if line.account == "owed"] == [-3]
    assert [line.at for line in found] == sorted((line.at for line in found), reverse=True)
    first = ledger_of(credits_id=ledger.id, receivable_id=receivable.id, limit=2)
    spend(ledger, "1", at=AT + 9 * SECOND)
    rest = ledger_of(credits_id=ledger.id, receivable_id=receivable.id, limit=50, before=(first[-1].at, first[-1].id))
    assert rest == found[2:]


def test_page_costs_the_same_however_long_the_ledger_is() -> None:
    """M1: a page reads as many rows as it shows for each side of an account, from an index."""
    ledger, receivable = make_ledger("1"), make_receivable()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_credits_transfer (id, phase, reason, debit_account_id, credit_account_id, amount, "
            "idempotency_key, description, created_at) SELECT gen_random_uuid(), 'posted', 'usage', %s, %s, 1, "
            "'many' || n, '', %s::timestamptz + n * interval '1 second' FROM generate_series(1, 20000) AS n",
            [ledger.id, revenue(), AT],
        )
        cursor.execute("ANALYZE billing_credits_transfer")
        with CaptureQueriesContext(connection) as queries:
            assert len(ledger_of(credits_id=ledger.id, receivable_id=receivable.id, limit=10)) == 10
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + queries[0]["sql"])
        assert rows_read(cursor.fetchone()[0][0]["Plan"]) <= 11


def rows_read(node: dict[str, Any]) -> int:
    if "Plans" in node:
        return sum(rows_read(child) for child in node["Plans"])
    return round(node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0))


def test_holds_are_no_lines_of_the_ledger() -> None:
    """M1: a hold shows once it is posted, with the real amount; other accounts' lines do not show."""
    ledger, other, receivable = make_ledger("10"), make_ledger("10"), make_receivable()
    held = hold(ledger, "4")
    assert held is not None
    spend(other, "1")
    assert [line.amount for line in ledger_of(credits_id=ledger.id, receivable_id=receivable.id, limit=9)] == [10]
    capture(ledger, held, "2.5")
    assert sorted(line.amount for line in ledger_of(credits_id=ledger.id, receivable_id=receivable.id, limit=9)) == [
        Decimal("-2.5"),
        10,
    ]
