"""Provider keys of a customer in a line, in any state; needs the `vault`."""

from typing import Any

from tests.make import Customer
from tests.vault.make import fresh, make_assignment, make_credential
from vault.models import Credential


def make_key(customer: Customer | None, provider: str = "openai", *, base_url: str = "", **state: Any) -> Credential:
    """A valid key of the customer's tenant, of the platform where there is no customer; `state` is set afterwards."""
    key = make_credential(customer.tenant if customer is not None else None, provider, base_url=base_url)
    if state:
        Credential.objects.filter(id=key.id).update(**state)
    return fresh(key)


def own_key(customer: Customer, provider: str = "openai", **more: Any) -> Credential:
    """A key that all runs of the tenant at the provider are on."""
    key = make_key(customer, provider, **more)
    make_assignment(customer.tenant, key)
    return key
