"""The proof of the ledger finds what does not add up, and only that."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.credits.models import Creator, LedgerAccount, TopUp, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.finish_payout import fail_payout, finish_payout
from billing.credits.services.open_ledger_account import open_ledger_account, platform_account
from tests.credits.make import make_creator, make_paid, make_wallet, open_payment, sell, take_back
from tests.make import AT
from tests.money_make import capture, hold, make_ledger, revenue, spend

pytestmark = pytest.mark.django_db
Ledger = LedgerAccount


def damage(statement: str, *values: object) -> None:
    """Change the ledger past its triggers, as only the owner of the server can."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("RESET session_replication_role")


def make_history() -> LedgerAccount:
    ledger = make_ledger("10")
    spend(ledger, "1")
    held = hold(ledger, "2")
    assert held is not None
    capture(ledger, held, "3")
    hold(ledger, "4")
    return ledger


def test_history_adds_up() -> None:
    """M1: grants, holds, captures above their hold and open holds leave nothing to find."""
    make_history()
    assert check_ledger(at=AT) == []


def cached_total(ledger: Ledger) -> None:
    damage("UPDATE billing_credits_ledgeraccount SET debits_posted = debits_posted + 1e-9 WHERE id = %s", ledger.id)


def cached_hold(ledger: Ledger) -> None:
    damage("UPDATE billing_credits_ledgeraccount SET debits_pending = 0 WHERE id = %s", ledger.id)


def changed_amount(ledger: Ledger) -> None:
    damage("UPDATE billing_credits_transfer SET amount = 9 WHERE debit_account_id = %s AND amount = 3", ledger.id)


def lost_transfer(ledger: Ledger) -> None:
    damage("DELETE FROM billing_credits_transfer WHERE debit_account_id = %s AND amount = 3", ledger.id)


def other_currency(ledger: Ledger) -> None:
    euros = platform_account(LedgerAccount.Kind.REVENUE, "EUR")
    damage(
        "UPDATE billing_credits_transfer SET credit_account_id = %s WHERE debit_account_id = %s AND amount = 3",
        euros,
        ledger.id,
    )


def resolution_of_no_hold(ledger: Ledger) -> None:
    grant = Transfer.objects.get(credit_account=ledger)
    damage(
        "UPDATE billing_credits_transfer SET pending_id = %s WHERE debit_account_id = %s AND amount = 3",
        grant.id,
        ledger.id,
    )


def resolution_on_another_account(ledger: Ledger) -> None:
    other = open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency="USD", at=AT)
    damage(
        "UPDATE billing_credits_transfer SET debit_account_id = %s WHERE debit_account_id = %s AND amount = 3",
        other.id,
        ledger.id,
    )


def lost_grant(ledger: Ledger) -> None:
    damage("DELETE FROM billing_credits_grant WHERE account_id = %s", ledger.id)


def overburned_grant(ledger: Ledger) -> None:
    damage("UPDATE billing_credits_grant SET consumed = 4.1 WHERE account_id = %s", ledger.id)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (cached_total, r"debits 4\.000000001 cached, 4\.000000000 in transfers"),
        (cached_hold, r"pending 0\.000000000 cached, 4\.000000000 in transfers"),
        (changed_amount, r"debits 4\.000000000 cached, 10\.000000000 in transfers"),
        (lost_transfer, r"debits 4\.000000000 cached, 1\.000000000 in transfers"),
        (other_currency, r"3\.000000000 USD end in another currency"),
        (resolution_of_no_hold, r"\(post_pending\) does not fit transfer .* \(posted\)"),
        (resolution_on_another_account, r"\(post_pending\) does not fit transfer .* \(pending\)"),
        (lost_grant, r"10\.000000000 came in, grants say 0;"),
        (overburned_grant, r"the balance is 6\.000000000, grants have 5\.900000000 left"),
    ],
)
def test_finds_damage(harm: Callable[[Ledger], None], sentence: str) -> None:
    """M1: each kind of damage is found and named, with the figures on both sides."""
    ledger = make_history()
    harm(ledger)
    findings = "\n".join(check_ledger(at=AT))
    assert re.search(sentence, findings), findings


def test_finds_a_hold_that_outlives_its_expiry() -> None:
    """M1: a hold that is late by more than the sweep's patience is an orphan."""
    make_history()
    due = AT + timedelta(minutes=15)
    assert check_ledger(at=due + timedelta(minutes=10)) == []
    assert "of 4.000000000 was due at 2026-03-10 12:15:00" in check_ledger(at=due + timedelta(minutes=10, seconds=1))[0]


def test_command_says_what_it_found() -> None:
    """M1: the command counts what it checked, and fails aloud."""
    ledger, out = make_ledger("10"), StringIO()
    call_command("check_ledger", stdout=out)
    assert out.getvalue() == "The ledger adds up: 1 transfers, 2 accounts.\n"
    cached_total(ledger)
    with pytest.raises(CommandError, match="1 findings"):
        call_command("check_ledger", stderr=StringIO())


def test_platform_has_one_account_of_a_kind() -> None:
    """M1: revenue is one account a currency."""
    assert revenue() == revenue() != platform_account(LedgerAccount.Kind.REVENUE, "EUR")


def make_purchase() -> TopUp:
    """Bought, half refunded, half of that given back."""
    wallet = make_wallet()
    top_up = make_paid(wallet, "20", "1")
    spend(wallet.credits, "15")
    take_back(wallet, top_up, "10.50")
    return take_back(wallet, top_up, "5.25")


def make_payouts() -> Creator:
    """Two sales; one payout came back in part, one failed."""
    creator, wallet = make_creator(), make_wallet("20")
    sell(creator, wallet)
    finish_payout(payout_id=open_payment(creator).id, external_id="tr_1", returned=Decimal(1), at=AT)
    sell(creator, wallet)
    fail_payout(payout_id=open_payment(creator).id, error="Refused", at=AT)
    return creator


def test_purchases_and_payouts_add_up() -> None:
    """M4, M10: refunds, disputes and payouts that came back leave nothing to find."""
    make_purchase()
    make_payouts()
    assert check_ledger(at=AT) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("amount = 21", r"credits of 21\.00, 20\.000000000 granted"),
        ("fee = 2", r"a fee of 2\.00, 1\.000000000 taken"),
        ("taken_back = 6", r"6\.000000000 taken back, 5\.000000000 in transfers"),
        ("state = 'open'", r"credits of 0\.00, 20\.000000000 granted; a fee of 0\.00, 1\.000000000 taken"),
    ],
)
def test_finds_a_purchase_that_differs(change: str, sentence: str) -> None:
    """M4: what a purchase says of itself is what the ledger holds."""
    damage(f"UPDATE billing_credits_topup SET {change} WHERE id = %s", make_purchase().id)
    (finding,) = check_ledger(at=AT)
    assert re.search(sentence, finding), finding


@pytest.mark.parametrize(
    ("table", "change", "sentence"),
    [
        ("sale", "creator_share = 7", r"26\.000000000 came in, sales and returned payouts say 24\.000000000"),
        ("payout", "amount = amount + 1, returned = returned + 1", r"17\.000000000 went out, payouts say 19\.00"),
    ],
)
def test_finds_a_creator_that_differs(table: str, change: str, sentence: str) -> None:
    """M10: what is owed to a creator is what was sold less what was paid out."""
    damage(f"UPDATE billing_credits_{table} SET {change} WHERE creator_id = %s", make_payouts().id)
    (finding,) = check_ledger(at=AT)
    assert re.search(sentence, finding), finding


def test_finds_a_payable_total_that_differs() -> None:
    """M1, M10: totals of what creators are owed are checked like customers'."""
    damage(
        "UPDATE billing_credits_ledgeraccount SET credits_posted = credits_posted + 1 WHERE id = %s",
        make_payouts().payable_id,
    )
    assert "credits 27.000000000 cached, 26.000000000 in transfers" in check_ledger(at=AT)[0]
