"""An account's billing details as its customer at Stripe should have them (I1); nothing here asks Stripe or writes.

Name, e-mail, address and tax id are ours once a member has said anything. An address or a tax id that nobody has said
stays as it is at Stripe, unless it is one that we have put there: marks in the customer's metadata say so.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import stripe

from billing.invoices.models import BillingDetails
from billing.invoices.parties import ADDRESS_FIELDS
from billing.notifications.recipients import addresses
from billing.stripe_sync.reading import noted
from billing.stripe_sync.tax_id_types import TaxId, tax_id_at_stripe
from billing.subscriptions.models import BillingAccount

_ADDRESS_MARK, _TAX_ID_MARK = "quaestor_address", "quaestor_tax_id"
_NAMES = {"region": "state"}  # what Stripe calls a part of an address
_LONGEST_NAME = 256


def customer_name(account: BillingAccount, details: BillingDetails | None = None) -> str:
    """The name of the account's customer: the one that invoices are made out to, else the tenant's."""
    said = details.name if details is not None else ""
    return (said or f"{account.tenant.name} ({account.name})")[:_LONGEST_NAME]


def wanted_tax_id(details: BillingDetails) -> TaxId | None:
    """What Stripe should have as the customer's tax id; None where nobody said one, or Stripe has no type for it."""
    return tax_id_at_stripe(details.tax_id, details.country)


def customer_changes(account: BillingAccount, details: BillingDetails, remote: stripe.Customer) -> dict[str, Any]:
    """What of the customer is to be changed, as parameters of the request; nothing where all is as it should be."""
    changes: dict[str, Any] = {}
    marks: dict[str, str] = {}
    name, emails = customer_name(account, details), addresses(account.tenant_id)
    if remote.name != name:
        changes["name"] = name
    if emails and remote.email not in emails:
        changes["email"] = emails[0]
    address = _address(details)
    if any(address.values()):
        if _address_there(remote) != address:
            changes["address"] = {name: text for name, text in address.items() if text}  # Stripe takes no empty ones
        marks[_ADDRESS_MARK] = "yes"
    elif noted(remote, _ADDRESS_MARK):
        changes |= {"address": ""}
        marks[_ADDRESS_MARK] = ""
    if wanted_tax_id(details) is not None:
        marks[_TAX_ID_MARK] = "yes"  # before the tax id itself: one of ours is never taken for somebody else's
    new = {key: mark for key, mark in marks.items() if noted(remote, key) != mark}
    return changes | ({"metadata": new} if new else {})


def tax_ids_to_go(details: BillingDetails, remote: stripe.Customer, there: Sequence[stripe.TaxId]) -> list[str]:
    """The ids of the customer's tax ids that are not the one that was said."""
    wanted = wanted_tax_id(details)
    if wanted is None and not noted(remote, _TAX_ID_MARK):
        return []
    return [one.id for one in there if wanted is None or not wanted.is_same(TaxId(one.type, one.value))]


def is_there(wanted: TaxId, there: Sequence[stripe.TaxId]) -> bool:
    """Whether the customer has this tax id."""
    return any(wanted.is_same(TaxId(one.type, one.value)) for one in there)


def differing_details(
    account: BillingAccount, details: BillingDetails, remote: stripe.Customer, there: Sequence[stripe.TaxId]
) -> Iterator[str]:
    """The names of what Stripe has otherwise than the account said."""
    yield from (name for name in customer_changes(account, details, remote) if name != "metadata")
    wanted = wanted_tax_id(details)
    if tax_ids_to_go(details, remote, there) or (wanted is not None and not is_there(wanted, there)):
        yield "tax id"


def _address(details: BillingDetails) -> dict[str, str]:
    return {_NAMES.get(name, name): getattr(details, name) for name in ADDRESS_FIELDS}


def _address_there(remote: stripe.Customer) -> dict[str, str]:
    names = [_NAMES.get(name, name) for name in ADDRESS_FIELDS]
    return {name: getattr(remote.address, name, None) or "" for name in names}
