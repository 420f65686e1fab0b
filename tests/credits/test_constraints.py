"""What the database refuses whoever writes: the ledger's rules do not rest on Python."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.open_ledger_account import open_ledger_account, platform_account
from tests.make import AT
from tests.money_make import hold, make_grant, make_ledger, release, reread, revenue

pytestmark = pytest.mark.django_db


def refused(constraint: str, statement: str, *values: object) -> None:
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("column", ["debits_posted", "debits_pending"])
def test_no_balance_below_zero(column: str) -> None:
    """M1: a nano-dollar too much, spent or held, is refused from SQL."""
    ledger = make_ledger("5")
    statement = f"UPDATE billing_credits_ledgeraccount SET {column} = 5.000000001 WHERE id = %s"
    refused("ledgeraccount_never_overspent", statement, ledger.id)
    assert reread(ledger).balance == 5


@pytest.mark.parametrize("column", ["debits_posted", "debits_pending", "credits_posted"])
def test_no_total_below_zero(column: str) -> None:
    """M1: a hold cannot be given back twice, nor a total fall under nothing, on any kind of account."""
    receivable = open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency="USD", at=AT)
    statement = f"UPDATE billing_credits_ledgeraccount SET {column} = -1 WHERE id = %s"
    refused("ledgeraccount_totals_not_negative", statement, receivable.id)


def test_platform_accounts_keep_no_total_and_are_one_of_a_kind() -> None:
    """M1: nobody can begin to count on a row that every run would have to write."""
    refused(
        "ledgeraccount_platform_keeps_no_total",
        "UPDATE billing_credits_ledgeraccount SET credits_posted = 1 WHERE id = %s",
        revenue(),
    )
    with pytest.raises(DatabaseError, match="ledgeraccount_one_platform_account"), transaction.atomic():
        open_ledger_account(kind=LedgerAccount.Kind.REVENUE, currency="USD", at=AT)


def test_hold_is_resolved_once() -> None:
    """M1: a hold has one resolution, whoever tries the second."""
    ledger = make_ledger("5")
    held = hold(ledger, "2")
    assert held is not None
    hold(ledger, "2")
    release(ledger, held)
    with pytest.raises(DatabaseError, match=r"pending_id|void:"), transaction.atomic():
        release(ledger, held)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"amount": 0}, "transfer_amount_positive"),
        ({"amount": -1}, "transfer_amount_positive"),
        ({"phase": "post_pending"}, "transfer_phase_names_pending"),
        ({"phase": "pending"}, "transfer_only_holds_expire"),
        ({"expires_at": AT}, "transfer_only_holds_expire"),
        ({"idempotency_key": "taken"}, "idempotency_key"),
        ({"same": True}, "transfer_two_accounts"),
    ],
)
def test_line_that_makes_no_sense(changes: dict[str, object], constraint: str) -> None:
    """M1: no line of nothing, to itself, half a resolution, or under a key that is taken."""
    ledger = make_ledger()
    make_grant(ledger, "1", key="taken")
    usual = {"phase": "posted", "reason": "usage", "amount": 1, "idempotency_key": str(uuid4()), "created_at": AT}
    line = usual | changes
    line["debit_account_id"], line["credit_account_id"] = ledger.id, revenue()
    if line.pop("same", None):
        line["credit_account_id"] = ledger.id
    if line["idempotency_key"] == "taken":
        line["idempotency_key"] = f"grant:{ledger.id}:taken"
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        Transfer.objects.create(**line)


def test_grant_gives_no_more_than_it_holds() -> None:
    """M6: consumed and expired parts never exceed the lot."""
    grant = make_grant(make_ledger(), "5")
    statement = "UPDATE billing_credits_grant SET consumed = 3, expired = 2.000000001 WHERE id = %s"
    refused("grant_within_its_amount", statement, grant.id)


def test_id_of_a_platform_account_is_forgotten_with_its_transaction() -> None:
    """M1: an account that was rolled back is made again, not remembered: no later movement names a row that is not."""
    with transaction.atomic():
        lost = platform_account(LedgerAccount.Kind.BREAKAGE, "USD")
        transaction.set_rollback(True)
    assert platform_account(LedgerAccount.Kind.BREAKAGE, "USD") != lost
