"""Billing details reach Stripe, which taxes by them."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk
from django.db import connection
from pytest_django import Settings

from billing.invoices.services.set_billing_details import set_billing_details
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import DriftFinding, StripeCustomer
from billing.stripe_sync.queries import details_at_stripe
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.push_details import push_details, push_waiting_details
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.tasks import push_billing_details
from billing.stripe_sync.tax_id_types import TaxId, tax_id_at_stripe
from billing.subscriptions.models import BillingAccount
from sandbox.stripe.process import StripeSandbox
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer
from tests.money_make import in_threads
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, paid_invoices, subscribed

ACME = {"name": "Acme Support GmbH", "line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"}
VAT_ID = {"tax_id": "DE 123 456 789"}


def say(account: BillingAccount, **changes: str) -> None:
    set_billing_details(account_id=account.id, changes=changes, at=AT, actor=SYSTEM)


def push(account: BillingAccount) -> bool:
    return push_details(account_id=account.id, at=AT)


def remote(account: BillingAccount) -> sdk.Customer:
    return stripe_client().v1.customers.retrieve(customer_of(account.id))


def tax_ids(account: BillingAccount) -> list[tuple[str, str]]:
    found = stripe_client().v1.customers.tax_ids.list(customer_of(account.id)).data
    return [(one.type, one.value) for one in found]


def state(account: BillingAccount) -> str:
    found = details_at_stripe(account.id)
    return found.state if found is not None else ""


def fault(stripe: StripeSandbox, path: str, **more: Any) -> None:
    stripe.call("POST", "/_sandbox/faults", {"path": path, "kind": "status", "status": 503, "times": 20} | more)


@pytest.fixture
def account(catalogue: None, stripe: StripeSandbox) -> BillingAccount:
    return make_customer("free").account


@pytest.fixture
def known(account: BillingAccount) -> BillingAccount:
    """One that has a customer at Stripe."""
    ensure_customer(account_id=account.id, at=AT)
    return account


def test_a_new_customer_has_what_was_said_before(account: BillingAccount) -> None:
    """I1: name, address and tax id are there before anything is bought; a second look changes nothing."""
    say(account, **ACME, **VAT_ID, line2="Hof 2", region="BE")
    assert details_at_stripe(account.id) is None
    ensure_customer(account_id=account.id, at=AT)
    found = remote(account)
    assert found.address is not None
    assert (found.name, found.address.to_dict()) == (
        "Acme Support GmbH",
        {
            "line1": "Torstraße 1",
            "line2": "Hof 2",
            "postal_code": "10119",
            "city": "Berlin",
            "state": "BE",
            "country": "DE",
        },
    )
    assert (tax_ids(account), state(account)) == ([("eu_vat", "DE123456789")], "taken")
    assert not push(account)
    assert find_drift(account_id=account.id, at=AT) == []


def test_changes_follow_and_go(known: BillingAccount) -> None:
    """I1: a change replaces, and what is taken away is taken away there; the tenant's name stands in again."""
    before = remote(known).name
    say(known, **ACME, **VAT_ID)
    assert state(known) == "waiting"
    assert push(known)
    say(known, city="Potsdam", tax_id="DE987654321")
    assert push(known)
    found = remote(known)
    assert found.address is not None
    assert (found.address.city, tax_ids(known)) == ("Potsdam", [("eu_vat", "DE987654321")])
    say(known, **dict.fromkeys([*ACME, "tax_id"], ""))
    assert push_waiting_details(at=AT) == 1
    assert (remote(known).address, remote(known).name, tax_ids(known)) == (None, before, [])
    assert find_drift(account_id=known.id, at=AT) == []


def test_what_staff_put_there_stays_until_somebody_says_otherwise(known: BillingAccount) -> None:
    """I1: only what a tenant said is ours: a reference alone takes no address away."""
    client, key = stripe_client(), customer_of(known.id)
    client.v1.customers.update(key, {"address": {"country": "FR"}})
    client.v1.customers.tax_ids.create(key, {"type": "eu_vat", "value": "FR12345678901"})
    say(known, reference="PO 1")
    assert push(known)
    found = remote(known)
    assert found.address is not None
    assert (found.address.country, tax_ids(known)) == ("FR", [("eu_vat", "FR12345678901")])
    say(known, **ACME, **VAT_ID)
    assert push(known)
    assert tax_ids(known) == [("eu_vat", "DE123456789")]


def test_details_while_stripe_is_away(known: BillingAccount, stripe: StripeSandbox) -> None:
    """I1: they are saved, said to be on their way, and sent by the periodic work once Stripe is back."""
    say(known, **ACME, **VAT_ID)
    fault(stripe, "/tax_ids$", method="POST")
    with pytest.raises(sdk.StripeError):
        push(known)
    push_billing_details(str(known.id))
    push_billing_details()
    assert (state(known), tax_ids(known)) == ("waiting", [])
    stripe.call("DELETE", "/_sandbox/faults")
    push_billing_details()
    assert (state(known), tax_ids(known)) == ("taken", [("eu_vat", "DE123456789")])


def test_tax_id_that_stripe_refuses(known: BillingAccount) -> None:
    """I1: the tenant is told at that field, the rest is in effect, and a correction ends it."""
    say(known, **ACME | {"country": "NO"}, tax_id="not one")
    assert push(known)
    found, address = details_at_stripe(known.id), remote(known).address
    assert found is not None
    assert address is not None
    assert (found.state, found.field, address.country, tax_ids(known)) == ("refused", "tax_id", "NO", [])
    assert "no valid one" in found.problem
    assert push_waiting_details(at=AT) == 0
    (finding,) = find_drift(account_id=known.id, at=AT)
    assert (finding.kind, finding.field, finding.theirs) == ("billing details", "tax id", "refused, or another")
    say(known, tax_id="123456789 MVA")
    assert push(known)
    assert (state(known), tax_ids(known)) == ("taken", [("no_vat", "123456789MVA")])
    assert find_drift(account_id=known.id, at=AT) == []


def test_address_that_stripe_refuses(known: BillingAccount, stripe: StripeSandbox) -> None:
    """I1: the tax id goes there all the same."""
    say(known, **ACME, **VAT_ID)
    fault(stripe, "/v1/customers/[^/]+$", method="POST", status=400, times=1)
    assert push(known)
    assert (state(known), tax_ids(known)) == ("refused", [("eu_vat", "DE123456789")])
    say(known, tax_id="")
    assert push(known)
    assert (state(known), tax_ids(known)) == ("taken", [])


def test_drift_names_and_repairs_other_details(known: BillingAccount, stripe: StripeSandbox) -> None:
    """S5: by name alone, for what they say may be a person's."""
    say(known, **ACME, **VAT_ID)
    assert push(known)
    client, key = stripe_client(), customer_of(known.id)
    client.v1.customers.update(key, {"name": "Somebody", "address": {"country": "FR"}})
    client.v1.customers.tax_ids.delete(key, client.v1.customers.tax_ids.list(key).data[0].id)
    found = find_drift(account_id=known.id, at=AT)
    assert sorted(row.field for row in found) == ["address", "name", "tax id"]
    assert "Acme" not in "".join(row.ours + row.theirs for row in found)
    assert reconcile(at=stripe_now(stripe)).repaired == 1
    assert not DriftFinding.objects.filter(repaired_at=None).exists()
    assert (remote(known).name, tax_ids(known)) == ("Acme Support GmbH", [("eu_vat", "DE123456789")])


def test_another_customer_gets_them_too(known: BillingAccount) -> None:
    """I1: where Stripe deleted the customer, the next one has the details as well."""
    say(known, **ACME, **VAT_ID)
    assert push(known)
    stripe_client().v1.customers.delete(customer_of(known.id))
    say(known, city="Potsdam")
    assert not push(known)
    ensure_customer(account_id=known.id, at=AT)
    assert (remote(known).name, tax_ids(known)) == ("Acme Support GmbH", [("eu_vat", "DE123456789")])


def test_tax_follows_the_country_that_was_said(stripe_catalogue: StripeSandbox) -> None:
    """I1: Stripe taxes by the address that the tenant gave us, from the next invoice on after a change."""
    stripe = stripe_catalogue
    stripe.call("POST", "/_sandbox/tax", {"percents": {"DE": "19", "FR": "20"}, "name": "VAT"})
    account = make_customer("free").account
    say(account, **ACME)
    subscribed(account, stripe)
    say(account, country="FR")
    assert push(account)
    advance(stripe, 31)
    say(account, country="US")
    assert push(account)
    advance(stripe, 31)
    assert [one.total for one in paid_invoices(account)] == [1071, 1080, 900]


def test_without_stripe(known: BillingAccount, settings: Settings) -> None:
    """S6: they are saved as ever, and nothing is said of a processor."""
    settings.STRIPE_SECRET_KEY = ""
    say(known, **ACME)
    push_billing_details(str(known.id))
    push_billing_details()
    assert details_at_stripe(known.id) is None


@pytest.mark.parametrize(
    ("country", "tax_id", "there"),
    [
        ("GR", "EL123456789", TaxId("eu_vat", "EL123456789")),
        ("GB", "gb 123 4567 89", TaxId("gb_vat", "GB123456789")),
        ("GB", "XI123456789", TaxId("eu_vat", "XI123456789")),
        ("CH", "CHE123456789", TaxId("ch_uid", "CHE-123.456.789")),
        ("CH", "che-123.456.789 mwst", TaxId("ch_vat", "CHE-123.456.789 MWST")),
        ("US", "12 3456789", TaxId("us_ein", "12-3456789")),
        ("AU", "12 345 678 901", TaxId("au_abn", "12345678901")),
        ("CA", "123", None),
        ("DE", "", None),
    ],
)
def test_types_of_tax_ids(country: str, tax_id: str, there: TaxId | None) -> None:
    """I1: Stripe's own types, as it writes them; none where we cannot know which one it is."""
    assert tax_id_at_stripe(tax_id, country) == there


@pytest.fixture
def committed(own_database: None, stripe: StripeSandbox) -> Iterator[BillingAccount]:
    push_catalogue(at=AT)
    account = make_customer("free").account
    ensure_customer(account_id=account.id, at=AT)
    yield account
    connection.close()


def test_many_at_once_end_in_what_was_said_last(committed: BillingAccount) -> None:
    """I1: one after the other, so that no older details stay; a worker that died is waited for five minutes."""

    def work(number: int) -> None:
        say(committed, city=f"City {number}", country="DE", tax_id=f"DE12345678{number}")
        push(committed)

    in_threads(work, 8, threads=8)
    found = remote(committed).address
    committed.refresh_from_db()
    assert found is not None
    assert (found.city, tax_ids(committed)[0][1][-1]) == (
        committed.details.city,
        committed.details.tax_id[-1],
    )
    assert (len(tax_ids(committed)), state(committed)) == (1, "taken")
    row = StripeCustomer.objects.get()
    assert row.details_leased_until is None
