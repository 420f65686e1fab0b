"""GET /v1/billing/invoices, and documents by their id."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.invoices.models import Invoice
from tests.api.calls import call, field_codes, get, refusal
from tests.invoices.issued import credit, issue, pay
from tests.make import AT, Customer, make_account, make_api_key, make_customer, make_workspace

PATH = "/v1/billing/invoices"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


def test_row(customer: Customer) -> None:
    """I2: amounts with the currency's decimals, the payment apart from what never changes."""
    invoice = issue(customer.account, credits_applied=Decimal(4))
    assert get(PATH, customer.key).json() == {
        "results": [
            {
                "id": f"inv_{invoice.id.hex}",
                "number": invoice.number,
                "kind": "invoice",
                "reason": "cycle",
                "status": "open",
                "currency": "USD",
                "period": {"start": "2026-02-07T12:00:00Z", "end": "2026-03-10T12:00:00Z"},
                "issued_at": "2026-03-10T12:00:00Z",
                "subtotal": "9.00",
                "tax": "0.00",
                "total": "9.00",
                "credits_applied": "4.00",
                "carried_over": "0.00",
                "amount_due": "5.00",
                "amount_paid": "0.00",
                "amount_refunded": "0.00",
                "amount_remaining": "5.00",
                "paid_at": None,
                "hosted_url": None,
                "pdf_url": f"http://127.0.0.1:8000/v1/billing/invoices/inv_{invoice.id.hex}.pdf",
                "corrects": None,
                "note": "",
                "off_debt": "0.00",
                "as_credits": "0.00",
            }
        ],
        "next": None,
    }


def test_detail(customer: Customer) -> None:
    """I1, M11: lines exact and rounded, what models come to, parties, taxes, credit notes and the seal."""
    tax = {"name": "VAT", "percent": "19", "country": "DE", "amount": "1.71", "taxable": "9.00"}
    invoice = issue(customer.account, taxes=[tax])
    note = credit(invoice, "2.00")
    seen = get(f"{PATH}/inv_{invoice.id.hex}", customer.key).json()
    (line,) = seen["lines"]
    assert (line["amount"], line["rated_amount"], line["quantity"]) == ("9.00", "9.000000000", "3600")
    assert (line["details"][0]["model"], line["details"][0]["cost"]) == ("gpt-4o", "9.004500000")
    tax["taxable_amount"] = tax.pop("taxable")
    assert seen["taxes"] == [tax]
    noted = get(f"{PATH}/cn_{note.id.hex}", customer.key).json()["taxes"]
    assert [(one["amount"], one["taxable_amount"]) for one in noted] == [("-0.32", "-1.68")]
    assert (seen["total"], seen["customer"]["account"]) == ("10.71", "Default")
    assert (seen["previous_hash"], seen["content_hash"]) == ("0" * 64, invoice.content_hash)
    assert [(one["id"], one["amount"]) for one in seen["credit_notes"]] == [(f"cn_{note.id.hex}", "2.00")]
    theirs = get(f"{PATH}/cn_{note.id.hex}", customer.key).json()
    assert (theirs["total"], theirs["status"], theirs["corrects"]) == ("-2.00", None, seen["id"])
    assert (theirs["note"], theirs["as_credits"]) == ("Agreed by letter", "2.00")


def test_pages_and_choices(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """F3, I2: by payment, by kind, by time, page by page; as many queries for many invoices as for one."""
    old, middle, new = (issue(customer.account, at=AT + timedelta(days=day)) for day in (0, 1, 2))
    pay(middle)
    note = credit(old)

    def numbers(query: str) -> list[str]:
        return [row["number"] for row in get(f"{PATH}?{query}", customer.key).json()["results"]]

    with django_assert_num_queries(4):
        first = get(f"{PATH}?limit=2", customer.key).json()
    assert [row["number"] for row in first["results"]] == [new.number, middle.number]
    assert numbers(f"limit=2&cursor={first['next']}") == [old.number]
    assert numbers("status=open") == [new.number, old.number]
    assert numbers("status=paid") == [middle.number]
    assert numbers("kind=credit_note") == [note.number]
    assert numbers("from=2026-03-11T12:00:00Z&to=2026-03-12T12:00:00Z") == [middle.number]
    assert field_codes(get(f"{PATH}?status=x&from=1", customer.key)) == {"status": "invalid-choice", "from": "invalid"}


def test_which_account(customer: Customer) -> None:
    """P11: a key of one workspace sees the invoices of its account alone."""
    other = make_account(customer.tenant, name="Test", is_default=False)
    bound = make_api_key(customer.tenant, workspace=make_workspace(customer.tenant, "test", account=other))
    mine, theirs = issue(customer.account), issue(other)
    assert [row["number"] for row in get(PATH, bound).json()["results"]] == [theirs.number]
    assert [row["number"] for row in get(f"{PATH}?workspace=test", customer.key).json()["results"]] == [theirs.number]
    assert refusal(get(f"{PATH}/inv_{mine.id.hex}", bound)) == (404, "not-found")


@pytest.mark.parametrize("text", ["inv_1", "x", "cn_{id}", "{id}", "inv_{id}0", "INV_{id}"])
def test_ids_that_name_nothing(customer: Customer, text: str) -> None:
    """F3: malformed, of another kind, unknown, foreign: alike."""
    invoice: Invoice = issue(make_customer().account)
    mine = issue(customer.account)
    for named in (text.format(id=mine.id.hex), f"inv_{invoice.id.hex}"):
        for ending in ("", ".pdf"):
            assert refusal(get(f"{PATH}/{named}{ending}", customer.key)) == (404, "not-found")


def test_pdf(customer: Customer) -> None:
    """I2: named by its number, kept by the caller alone, and not made again for who has it."""
    invoice = issue(customer.account, at=AT + timedelta(microseconds=1))
    path = f"{PATH}/inv_{invoice.id.hex}.pdf"
    response = get(path, customer.key, Accept="application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["ETag"] == f'"{invoice.content_hash}"'
    head = call("HEAD", path, customer.key)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", response.headers["ETag"])
    again = get(path, customer.key, **{"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert field_codes(get(f"{path}?x=1", customer.key)) == {"x": "unknown-parameter"}
