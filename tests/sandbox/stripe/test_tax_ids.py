"""Tax ids of customers (I1)."""

from typing import Any

import pytest
import stripe
from stripe import StripeClient


def test_tax_ids_are_made_listed_and_deleted(client: StripeClient) -> None:
    """The newest first; also with the customer where that is asked for."""
    customer = client.v1.customers.create({"name": "Acme"}).id
    first = client.v1.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "DE123456789"})
    second = client.v1.customers.tax_ids.create(customer, {"type": "us_ein", "value": "12-3456789"})
    assert (first.country, second.country, first.customer) == ("DE", "US", customer)
    listed = client.v1.customers.tax_ids.list(customer).data
    assert [one.id for one in listed] == [second.id, first.id]
    found = client.v1.customers.retrieve(customer, {"expand": ["tax_ids"]}).tax_ids
    assert found is not None
    assert [one.value for one in found.data] == ["12-3456789", "DE123456789"]
    assert client.v1.customers.tax_ids.retrieve(customer, first.id).type == "eu_vat"
    assert client.v1.customers.tax_ids.delete(customer, first.id).deleted
    assert [one.id for one in client.v1.customers.tax_ids.list(customer).data] == [second.id]


@pytest.mark.parametrize(("kind", "value"), [("eu_vat", "DE"), ("gb_vat", "123"), ("no_vat", "not one")])
def test_values_that_cannot_be_one_are_refused(client: StripeClient, kind: Any, value: str) -> None:
    """With the code that Stripe gives."""
    customer = client.v1.customers.create().id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.tax_ids.create(customer, {"type": kind, "value": value})
    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "value")


def test_tax_ids_of_somebody_else(client: StripeClient) -> None:
    owner, other = (client.v1.customers.create().id for _ in range(2))
    made = client.v1.customers.tax_ids.create(owner, {"type": "eu_vat", "value": "DE123456789"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.tax_ids.delete(other, made.id)
    assert refused.value.code == "resource_missing"
