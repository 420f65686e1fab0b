"""A period's events as a file."""

import csv
import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from billing.core.periods import Period
from billing.subscriptions.queries import terms_of
from billing.usage.export import Format, export_events, export_name
from billing.usage.queries import meter_readings
from billing.usage.sums import totals_of
from tests.make import AT, Customer, make_customer, make_workspace
from tests.money_make import event, report

pytestmark = pytest.mark.usefixtures("catalogue")


def period_of(customer: Customer) -> Period:
    return terms_of(customer.account.id, AT).period(AT)


def exported(customer: Customer, file_format: Format, **narrowed: Any) -> str:
    chunks = export_events(
        account_id=customer.account.id, period=period_of(customer), file_format=file_format, **narrowed
    )
    return b"".join(chunks).decode()


def lines_of(customer: Customer, **narrowed: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(customer, "jsonl", **narrowed).split("\n") if line]


def rows_of(customer: Customer, **narrowed: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(exported(customer, "csv", **narrowed), newline="")))


def test_sums_are_the_periods_readings() -> None:
    """U5: tokens, requests and costs of both formats add up to what the usage answer says."""
    customer = make_customer(balance="10")
    report(customer, *[event(input_tokens=n, cached_input_tokens=n // 3, session=f"s{n}") for n in range(1, 40)])
    report(customer, event(product="pstn", quantity="12.5"))
    report(customer, event(occurred_at=(AT - timedelta(days=400)).isoformat()))  # of another period
    totals = totals_of(meter_readings(account_id=customer.account.id, period=period_of(customer)))
    for rows in (lines_of(customer), rows_of(customer)):
        assert len(rows) == 40
        assert sum(Decimal(row["cost"]) for row in rows) == totals.cost
        assert sum(int(row["input_tokens"]) for row in rows) == totals.input_tokens
        assert sum(int(row["cached_input_tokens"]) for row in rows) == totals.cached_input_tokens
        assert sum(row["product"] == "llm" for row in rows) == totals.requests


def test_csv_follows_rfc_4180() -> None:
    """U5: a header, lines that end in CRLF, and texts with commas, quotes and line ends that come back as they were."""
    customer = make_customer(balance="10")
    odd = 'a,"b"\nc\\N\t\\. “é”'
    report(customer, event("k", agent=odd, session="\\."))
    text = exported(customer, "csv")
    header, _, rest = text.partition("\r\n")
    assert header.startswith("id,idempotency_key,workspace,product,")
    assert rest.endswith("\r\n")
    assert rest.count("\r\n") == 1
    (row,) = rows_of(customer)
    assert (row["agent"], row["session"], row["idempotency_key"]) == (odd, "\\.", "k")


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_formulas_of_spreadsheets_are_harmless(formula: str) -> None:
    """U5: what a program reported is never run by who opens the file; JSON Lines have it as it was."""
    customer = make_customer(balance="10")
    names = ("agent", "office", "session", "user")
    report(customer, event(f"{formula}k", **dict.fromkeys(names, formula)))
    (row,), (line,) = rows_of(customer), lines_of(customer)
    assert {row[name] for name in names} == {f"'{formula}"}
    assert row["idempotency_key"] == f"'{formula}k"
    assert {line[name] for name in names} == {formula}


def test_json_lines_are_exact() -> None:
    """U5, M11: decimals are strings with every digit, numbers that count are numbers, times are RFC 3339 in UTC."""
    customer = make_customer(balance="10")
    report(customer, event("k", input_tokens=7, output_tokens=0, user='a"\\b\u2028', session="x\x01y\x7f"))
    report(customer, event(product="pstn", quantity="0.123456789"))
    first, second = lines_of(customer)
    assert (first["cost"], first["quantity"], first["input_tokens"]) == ("0.000017500", "7", 7)
    assert (first["user"], first["session"], first["credential"]) == ('a"\\b\u2028', "x\x01y\x7f", None)
    assert first["occurred_at"] == "2026-03-10T12:00:00.000000Z"
    assert second["quantity"] == "0.123456789"


def test_one_workspace() -> None:
    """U5: narrowed to a workspace, only its events."""
    customer = make_customer(balance="10")
    other = make_workspace(customer.tenant, "other", account=customer.account)
    report(customer, event("mine"), event("theirs", workspace="other"))
    (line,) = lines_of(customer, workspace_id=other.id)
    assert (line["idempotency_key"], line["workspace"]) == ("theirs", "other")


def test_empty_period() -> None:
    """U5: a header and nothing below it; no line at all in JSON Lines."""
    customer = make_customer()
    assert exported(customer, "csv").count("\r\n") == 1
    assert exported(customer, "jsonl") == ""


def test_name_says_account_period_and_format() -> None:
    """U5: files of different accounts and periods can lie in one folder."""
    customer = make_customer()
    name = export_name(account_id=customer.account.id, period=period_of(customer), file_format="csv")
    assert name == f"usage-acc_{customer.account.id.hex}-2026-03-10.csv"
