"""/v1/workspaces/{workspace}/kb/sources."""

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.usage.models import KnowledgeSource
from tests.api.calls import call, field_codes, get, refusal
from tests.make import AT, Customer, make_customer, make_workspace

PATH = "/v1/workspaces/main/kb/sources"
MIB = 1024 * 1024


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer("free")


def add(customer: Customer, size: int, path: str = PATH) -> tuple[int, str]:
    response = call("POST", path, customer.key, {"name": "manual.pdf", "bytes": size})
    return (201, "") if response.status_code == 201 else refusal(response)


def test_register_answers_the_source(customer: Customer) -> None:
    """P6: a new source has an id, its name and its size."""
    response = call("POST", PATH, customer.key, {"name": "manual.pdf", "bytes": 5 * MIB})
    source = KnowledgeSource.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": f"kbs_{source.id.hex}",
        "name": "manual.pdf",
        "bytes": 5_242_880,
        "created_at": "2026-03-10T12:00:00Z",
    }


def test_largest_upload_comes_first(customer: Customer) -> None:
    """P6: one byte more than Free's 5 MiB is refused for its own size, even where storage lacks room as well."""
    for _ in range(20):
        assert add(customer, 5 * MIB) == (201, "")
    assert add(customer, 5 * MIB + 1) == (402, "quota-exceeded-kb-upload-size")
    assert add(customer, 1) == (402, "quota-exceeded-kb-storage")
    assert add(customer, 0) == (201, "")


def test_storage_is_the_accounts(customer: Customer) -> None:
    """P6: bytes of all the account's workspaces count, and removed ones do not."""
    override_entitlement(
        account_id=customer.account.id, feature="kb_storage_bytes_limit", value=100, reason="deal", at=AT
    )
    make_workspace(customer.tenant, "second", account=customer.account)
    assert add(customer, 60, "/v1/workspaces/second/kb/sources") == (201, "")
    response = call("POST", PATH, customer.key, {"name": "a", "bytes": 41})
    assert refusal(response) == (402, "quota-exceeded-kb-storage")
    assert response.json()["limit_source"] == "override"
    assert response.json()["detail"] == "The account stores 60 of 100 bytes; 41 more do not fit."
    assert add(customer, 40) == (201, "")
    first = get("/v1/workspaces/second/kb/sources", customer.key).json()["results"][0]["id"]
    assert refusal(call("DELETE", f"{PATH}/{first}", customer.key)) == (404, "not-found")
    assert call("DELETE", f"/v1/workspaces/second/kb/sources/{first}", customer.key).status_code == 204
    assert add(customer, 60) == (201, "")


def test_list(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """F3: three queries whatever the number of sources; removed ones are not listed."""
    ids = [call("POST", PATH, customer.key, {"name": f"{n}", "bytes": n}).json()["id"] for n in range(3)]
    assert call("DELETE", f"{PATH}/{ids[1]}", customer.key).status_code == 204
    with django_assert_num_queries(3):
        page = get(PATH, customer.key).json()
    assert [(source["name"], source["bytes"]) for source in page["results"]] == [("2", 2), ("0", 0)]
    assert page["next"] is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("-1", "min-value"),
        ("1000000000000001", "max-value"),
        ("1e30", "invalid"),
        ("1.5", "invalid"),
        ("5.0", "invalid"),
        ("true", "invalid"),
        ("null", "null"),
        ('"5"', "invalid"),
        ("[5]", "invalid"),
        ("{}", "invalid"),
    ],
)
def test_bytes_are_a_bounded_whole_number(customer: Customer, number: str, code: str) -> None:
    """F3: nothing but a JSON integer in bounds is taken for a size, and nothing is written."""
    body = f'{{"name": "a", "bytes": {number}}}'.encode()
    assert field_codes(call("POST", PATH, customer.key, body)) == {"bytes": code}
    assert not KnowledgeSource.objects.exists()
