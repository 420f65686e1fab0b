"""The credits page (F1, M1, M6)."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from billing.console.pages.ledger import BadCursor, read_cursor, write_cursor
from billing.credits.models import Grant
from billing.credits.queries import LedgerEntry
from billing.credits.services.grant_credits import grant_credits
from billing.invoices.queries import OpenSum
from tests.console.make import HTMX, QueryCount, make_calls, make_client, make_minutes
from tests.invoices.issued import issue
from tests.make import AT, Customer, make_credits, make_customer


def test_balance_and_grants(customer: Customer) -> None:
    """M3, M6: what expires first is spent first."""
    grant_credits(
        account_id=customer.account.credits_id,
        amount=Decimal(5),
        source=Grant.Source.PROMOTION,
        idempotency_key="promo",
        at=AT,
        expires_at=AT + timedelta(days=30),
    )
    make_calls(customer, "gpt-4o", 4)
    response = make_client(customer.tenant).get("/credits/")
    page = response.context["page"]
    assert (page.available, page.held, page.balance, page.waiting) == (Decimal("104.982"), 0, Decimal("104.982"), 0)
    assert [(grant.source, grant.amount, grant.remaining) for grant in page.grants] == [
        ("promotion", 5, Decimal("4.982")),
        ("purchase", 100, 100),
    ]
    assert "9 Apr 2026, 12:00 UTC" in response.text


def test_expired_grant_is_neither_listed_nor_counted(customer: Customer) -> None:
    """M6: also before a worker has swept it."""
    soon = AT + timedelta(minutes=1)
    grant_credits(
        account_id=customer.account.credits_id,
        amount=Decimal(5),
        source=Grant.Source.PROMOTION,
        idempotency_key="promo",
        at=AT - timedelta(days=1),
        expires_at=soon,
    )
    Grant.objects.filter(source="promotion").update(expires_at=AT)
    customer.account.credits.__class__.objects.filter(id=customer.account.credits_id).update(next_expiry_at=AT)
    page = make_client(customer.tenant).get("/credits/").context["page"]
    assert (page.balance, [grant.source for grant in page.grants]) == (100, ["purchase"])


def test_what_credits_lacked_goes_on_the_invoice(customer: Customer) -> None:
    """M1, U6: usage that happened is not lost where the balance was short."""
    poor = make_customer(balance="0.01")
    make_calls(poor, "gpt-4o", 4)
    response = make_client(poor.tenant).get("/credits/")
    assert (response.context["page"].balance, response.context["page"].waiting) == (0, Decimal("0.008"))
    assert "$0.008000000" in response.text
    owed = [(row.kind, row.amount) for row in response.context["page"].ledger if row.is_owed]
    assert sum(amount for _, amount in owed) == Decimal("-0.008")
    assert response.text.count('data-variant="warning">Owed usage<') == len(owed)
    assert {kind for kind, _ in owed} == {"usage"}
    assert "goes on the next invoice" not in make_client(customer.tenant).get("/credits/").text


def test_what_an_invoice_asks_for_is_not_told_twice(customer: Customer) -> None:
    """M1, I2: what stands on an open invoice is to be paid there; what came since goes on the next; nothing of a
    rounded rest, and after the payment nothing at all.
    """
    poor = make_customer(balance="0.01")
    make_calls(poor, "gpt-4o", 4)  # 0.008 beyond the credits
    make_minutes(poor, "1.23")
    issue(poor.account, "0.03")  # of 0.03014
    client = make_client(poor.tenant)
    response = client.get("/credits/")
    page = response.context["page"]
    assert (page.asked, page.waiting) == (OpenSum(1, Decimal("0.03")), 0)
    assert "1 open invoice asks for it." in response.text
    assert "goes on the next invoice" not in response.text
    make_minutes(poor, "1")
    assert client.get("/credits/").context["page"].waiting == Decimal("0.018140000")
    make_credits(poor.account, "5.00", key="more")
    assert "the credits that you have are not spent on it" in client.get("/credits/").text


def test_used_up_is_told_from_never_had(customer: Customer) -> None:
    """F1, M6: an empty list of grants says which of the two it is."""
    poor, new = make_customer(balance="0.01"), make_customer()
    make_calls(poor, "gpt-4o", 4)
    used_up, never = make_client(poor.tenant).get("/credits/").text, make_client(new.tenant).get("/credits/").text
    assert ("All credits are used" in used_up, "No credits yet" in used_up) == (True, False)
    assert ("All credits are used" in never, "No credits yet" in never) == (False, True)


def test_movements_continue_by_cursor(customer: Customer) -> None:
    """M1: every movement once, newest first, as rows for a swap and as a page without scripts."""
    for number in range(60):
        make_credits(customer.account, "1.00", key=f"k{number}", at=AT + timedelta(seconds=number // 7))
    client = make_client(customer.tenant)
    seen, url = [], "/credits/"
    while url:
        page = client.get(url).context["page"]
        rows = client.get(url, headers=HTMX)
        assert rows.context["page"].ledger == page.ledger
        assert rows.text.lstrip().startswith("<tr>")
        seen += page.ledger
        url = page.next_url
    assert [row.at for row in seen] == sorted((row.at for row in seen), reverse=True)
    assert [row.amount for row in seen].count(1) == 60
    assert len(seen) == 61


@pytest.mark.parametrize("cursor", ["x", "1-", "-1", "1-zz", "99999999999999999999999-" + "0" * 32])
def test_bad_cursor_is_not_found(customer: Customer, cursor: str) -> None:
    """F1: an address that was not ours answers as one that does not exist."""
    assert make_client(customer.tenant).get("/credits/", {"before": cursor}).status_code == 404
    with pytest.raises(BadCursor):
        read_cursor(cursor)


def test_cursor_keeps_the_microsecond() -> None:
    """M1: two movements of one second are two positions."""
    entry = LedgerEntry(uuid4(), AT.replace(microsecond=123457), "usage", "", Decimal(1), "credits")
    assert read_cursor(write_cursor(entry)) == (entry.at, entry.id)


def test_account_of_another_tenant_is_not_mixed_in(customer: Customer) -> None:
    """F4: each sees their own movements."""
    other = make_customer(balance="7.00")
    page = make_client(other.tenant).get("/credits/").context["page"]
    assert [row.amount for row in page.ledger] == [7]


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, balance, ledger account, its grants, what is to be paid, movements,
    purchases, frame.
    """
    client = make_client(customer.tenant)
    make_calls(customer, "gpt-4o", 30)
    with django_assert_num_queries(11):
        client.get("/credits/")
    with django_assert_num_queries(6):
        client.get("/credits/", headers=HTMX)
