"""GET, PUT /v1/billing/details."""

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from billing.api.views.documents import document
from billing.invoices.parties import DETAIL_FIELDS, LONGEST
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.push_details import push_waiting_details
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tests.api.calls import call, field_codes, get
from tests.make import AT, Key, make_customer

pytestmark = pytest.mark.usefixtures("catalogue")
PATH = "/v1/billing/details"
NOTHING = dict.fromkeys(
    ("name", "line1", "line2", "postal_code", "city", "region", "country", "tax_id", "reference"), ""
) | {"updated_at": None, "processor": None}
ACME = {"name": "Acme Support GmbH", "city": "Berlin", "country": "DE", "tax_id": "DE 123 456 789"}


def put(key: Key, body: dict[str, Any]) -> Any:
    return call("PUT", PATH, key, body)


def test_nothing_said(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """I1: a new account has none."""
    customer = make_customer("pro")
    with django_assert_num_queries(3):
        assert get(PATH, customer.key).json() == NOTHING


def test_what_is_left_out_stays() -> None:
    """I1: each call changes what it names; the audit log has the fields, not what they say."""
    customer = make_customer("pro")
    updated = AT.isoformat().replace("+00:00", "Z")
    assert put(customer.key, {**ACME, "country": "de"}).json() == NOTHING | ACME | {"updated_at": updated}
    assert put(customer.key, {"city": ""}).json()["city"] == ""
    assert put(customer.key, {"city": ""}).status_code == 200
    assert get(PATH, customer.key).json() == NOTHING | ACME | {"city": "", "updated_at": updated}
    lines = AuditEvent.objects.filter(action="billing_details.changed", actor_key=customer.key.row).order_by("id")
    assert [line.detail for line in lines] == [{"changed": sorted(ACME)}, {"changed": ["city"]}]


def test_what_is_wrong() -> None:
    """I1: field by field; a text that the database cannot keep among them."""
    customer = make_customer("pro")
    assert field_codes(put(customer.key, {})) == {"body": "required"}
    assert field_codes(put(customer.key, {"country": "XX"})) == {"country": "invalid"}
    assert field_codes(put(customer.key, {"tax_id": "DE123456789"})) == {"country": "required"}
    assert field_codes(put(customer.key, {"country": "DE", "tax_id": "DE12"})) == {"tax_id": "invalid"}
    assert field_codes(put(customer.key, {"name": "a\x00b"})) == {"name": "null-characters-not-allowed"}
    assert field_codes(put(customer.key, {"name": "a" * 201, "city": 1, "vat": "x"})) == {
        "name": "max-length",
        "city": "invalid",
        "vat": "unknown-field",
    }
    assert get(PATH, customer.key).json() == NOTHING


def test_what_cannot_be_printed_takes_nothing_away() -> None:
    """I1: a text of invisible characters is refused, an empty one clears."""
    customer = make_customer("pro")
    put(customer.key, ACME)
    for text in ("\u202e", "\u200b \u2060"):
        assert field_codes(put(customer.key, {"tax_id": text, "city": text})) == {
            "tax_id": "invalid",
            "city": "invalid",
        }
    assert get(PATH, customer.key).json()["tax_id"] == ACME["tax_id"]
    assert put(customer.key, {"tax_id": ""}).json()["tax_id"] == ""


def test_described_as_it_is_taken() -> None:
    """F3, I1: each field has its own length, and null is no text."""
    fields = json.loads(document())["components"]["schemas"]["NewDetails"]["properties"]
    assert {name: (said["type"], said["maxLength"]) for name, said in fields.items()} == {
        name: ("string", LONGEST[name]) for name in DETAIL_FIELDS
    }
    customer = make_customer("pro")
    for name in ("name", "line1", "city", "reference"):
        assert put(customer.key, {name: "a" * LONGEST[name]}).status_code == 200
        assert field_codes(put(customer.key, {name: "a" * (LONGEST[name] + 1)})) == {name: "max-length"}
        assert field_codes(put(customer.key, {name: None})) == {name: "null"}


def test_whether_the_processor_has_them(stripe: StripeSandbox) -> None:
    """I1: on their way, taken over, or refused with the reason at its field; the address is in effect all the same."""
    customer = make_customer("pro")
    ensure_customer(account_id=customer.account.id, at=AT)
    body = {"country": "NO", "city": "Oslo", "tax_id": "not one"}
    assert put(customer.key, body).json()["processor"] == {"state": "waiting", "field": "", "problem": ""}
    assert push_waiting_details(at=AT) == 1
    said = get(PATH, customer.key).json()
    assert (said["processor"]["state"], said["processor"]["field"], said["tax_id"]) == ("refused", "tax_id", "not one")
    assert "no valid one" in said["processor"]["problem"]
    put(customer.key, {"tax_id": "123456789MVA"})
    assert push_waiting_details(at=AT) == 1
    assert get(PATH, customer.key).json()["processor"]["state"] == "taken"


def test_saving_while_the_processor_is_away(
    stripe: StripeSandbox, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """I1: saving asks Stripe nothing itself; a worker is asked to send them, once they are saved."""
    customer = make_customer("pro")
    ensure_customer(account_id=customer.account.id, at=AT)
    stripe.call("POST", "/_sandbox/faults", {"path": "/", "kind": "timeout", "times": 99})
    with django_capture_on_commit_callbacks() as queued:
        assert put(customer.key, ACME).status_code == 200
    assert len(queued) == 1
    stripe.call("DELETE", "/_sandbox/faults")
