"""dj-stripe's copies of Stripe's objects."""

import pytest
from django.db import connection
from djstripe.models import Account, APIKey, Customer, PaymentMethod, Price, Product

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.mirror import mirror, own_account
from sandbox.stripe.process import TEST_KEY, StripeSandbox

pytestmark = pytest.mark.django_db


def everything_in_the_database() -> str:
    """All rows of all tables, as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


def test_key_is_in_no_table(stripe_catalogue: StripeSandbox) -> None:
    """S1: dj-stripe would store the secret key with the first object that it copies; here it stores none."""
    assert Product.objects.count() > 0
    assert not APIKey.objects.exists()
    text = everything_in_the_database()
    assert "price_" in text
    assert TEST_KEY not in text


def test_objects_belong_to_our_account(stripe_catalogue: StripeSandbox) -> None:
    """S1: the owner's row is there, and copies point to it."""
    account = own_account()
    assert account is not None
    assert set(Product.objects.values_list("djstripe_owner_account", flat=True)) == {account.id}
    assert Account.objects.count() == 1


def test_changes_are_copied(stripe: StripeSandbox) -> None:
    """S1: copying again brings the copy up to date."""
    client = stripe_client()
    customer = client.v1.customers.create({"email": "ann@example.com"})
    mirror(customer)
    mirror(client.v1.customers.update(customer.id, {"email": "ann@example.org"}))
    assert Customer.objects.get().email == "ann@example.org"


def test_default_card_is_copied_with_its_customer(stripe: StripeSandbox) -> None:
    """S1, I3: a neighbour that is not here yet is fetched."""
    client = stripe_client()
    customer = client.v1.customers.create()
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    mirror(
        client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}}),
    )
    assert PaymentMethod.objects.get().id == card.id
    assert Customer.objects.get().default_payment_method.id == card.id


def test_deleted_object_is_marked(stripe: StripeSandbox) -> None:
    """S1: a copy outlives what it is of, and says that it does."""
    client = stripe_client()
    customer = client.v1.customers.create({"email": "ann@example.com"})
    mirror(customer)
    mirror(client.v1.customers.delete(customer.id))
    copy = Customer.objects.get()
    assert (copy.deleted, copy.email) == (True, "ann@example.com")


def test_object_that_does_not_fit_is_left_out(stripe: StripeSandbox, caplog: pytest.LogCaptureFixture) -> None:
    """S1: what dj-stripe cannot copy breaks nothing."""
    client = stripe_client()
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 5, "product_data": {"name": "X"}})
    stripe.call("POST", "/_sandbox/faults", {"path": "/v1/products", "kind": "status", "status": 500, "times": 9})
    mirror(price)
    assert not Price.objects.exists()
    assert "mirror_failed" in caplog.text
    caplog.clear()
