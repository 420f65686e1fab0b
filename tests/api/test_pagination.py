"""Cursors, by themselves and in an address."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.api.pagination import encode_cursor, id_of, time_and_id_of
from billing.core.problems import Problem
from tests.api.calls import field_codes, get, refusal
from tests.make import make_customer

ID = UUID(int=7)


@given(st.uuids(), st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_positions_survive(row_id: UUID, at: datetime) -> None:
    """F3: what a cursor says is read as it was written, to the microsecond."""
    aware = at.replace(tzinfo=UTC)
    assert time_and_id_of({"cursor": encode_cursor(row_id, aware)}) == (aware, row_id)
    assert id_of({"cursor": encode_cursor(row_id)}) == row_id


def test_first_page_has_no_position() -> None:
    """F3: without a cursor a list begins at its beginning."""
    assert (id_of({}), time_and_id_of({})) == (None, None)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!",
        "AAAA",
        "ÄÄÄÄ",
        encode_cursor(ID),
        encode_cursor(ID, datetime(2026, 1, 1, tzinfo=UTC)) + "=",
        encode_cursor(ID, datetime(2026, 1, 1, tzinfo=UTC)) + "AAAA",
        base64.urlsafe_b64encode(ID.bytes + b"\x7f" + b"\xff" * 7).decode(),
        base64.urlsafe_b64encode(ID.bytes + b"\x80" + b"\x00" * 7).decode(),
    ],
)
def test_forged_cursors(cursor: str) -> None:
    """F3: everything that is no cursor of the list is 400 invalid-cursor."""
    with pytest.raises(Problem) as caught:
        time_and_id_of({"cursor": cursor})
    assert caught.value.code == "invalid-cursor"


def test_second_spelling_of_a_position() -> None:
    """F3: bits that base64 leaves unused are no way to write a cursor twice."""
    cursor = encode_cursor(ID)
    assert cursor[-1] == "w"
    with pytest.raises(Problem):
        id_of({"cursor": cursor[:-1] + "x"})


def test_invalid_cursor_in_an_address(catalogue: None) -> None:
    """F3: the refusal says how to go on."""
    response = get("/v1/billing/ledger?cursor=nope", make_customer().key)
    assert refusal(response) == (400, "invalid-cursor")
    assert response.json()["remedy"] == "Begin without a cursor."


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("limit=0", {"limit": "min-value"}),
        ("limit=201", {"limit": "max-value"}),
        ("limit=-1", {"limit": "invalid"}),
        ("limit=ten", {"limit": "invalid"}),
        ("limit=1.0", {"limit": "invalid"}),
        ("limit=%D9%A3", {"limit": "invalid"}),
        ("limit=", {"limit": "invalid"}),
        ("limit=1&limit=2", {"limit": "repeated-parameter"}),
        ("cursor=", {"cursor": "blank"}),
        ("workspace=", {"workspace": "blank"}),
        ("workspace=%00", {"workspace": "null-characters-not-allowed"}),
        ("workspce=main", {"workspce": "unknown-parameter"}),
        ("format=json", {"format": "unknown-parameter"}),
    ],
)
def test_parameters_are_checked(catalogue: None, query: str, errors: dict[str, str]) -> None:
    """F3: a wrong, repeated or unknown parameter is named instead of being passed over."""
    assert field_codes(get(f"/v1/billing/ledger?{query}", make_customer().key)) == errors


def test_too_many_parameters(catalogue: None) -> None:
    """F3: what Django will not even parse is 400 too."""
    query = "&".join(f"a{n}=1" for n in range(1200))
    assert refusal(get(f"/v1/billing/ledger?{query}", make_customer().key)) == (400, "invalid-request")
