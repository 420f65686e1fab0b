"""Who issues a document and to whom, as they are at its issue: it keeps a copy of both (I1)."""

from typing import Any
from uuid import UUID

from django.conf import settings

from billing.invoices.models import BillingDetails
from billing.subscriptions.models import BillingAccount

ADDRESS_FIELDS = ("line1", "line2", "postal_code", "city", "region", "country")
DETAIL_FIELDS = ("name", *ADDRESS_FIELDS, "tax_id", "reference")
LONGEST = {field.name: field.max_length or 0 for field in BillingDetails._meta.concrete_fields}
"""How many characters each of them has at most."""


def billing_details(account_id: UUID) -> BillingDetails:
    """The account's billing details; empty ones, not saved, where nothing was said."""
    return BillingDetails.objects.filter(account_id=account_id).first() or BillingDetails(account_id=account_id)


def seller_facts() -> dict[str, Any]:
    """Give the seller of the settings: name, address (lines), tax_id, email."""
    return {
        "name": settings.SELLER_NAME,
        "address": list(settings.SELLER_ADDRESS),
        "tax_id": settings.SELLER_TAX_ID,
        "email": settings.SELLER_EMAIL,
    }


def customer_facts(account: BillingAccount) -> dict[str, Any]:
    """Give the account's customer: its billing details; where they lack a name, the tenant's.

    Keys: name, line1, line2, postal_code, city, region, country (ISO 3166-1), tax_id, reference, and account, the
    account's name. All are texts, empty where nothing was said.
    """
    details = billing_details(account.id)
    said = {field: getattr(details, field) for field in DETAIL_FIELDS}
    return said | {"name": said["name"] or account.tenant.name, "account": account.name}
