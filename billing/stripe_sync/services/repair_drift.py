from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing.stripe_sync.differences import DETAILS
from billing.stripe_sync.models import DriftFinding
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.push_details import push_details
from billing.stripe_sync.services.repeat_lost_usage import repeat_lost_usage
from billing.stripe_sync.services.sync_charge import sync_charge
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.stripe_sync.services.sync_invoice import sync_invoice

_PAGES = ("checkout", "credits")  # findings that are about a Checkout page


def repair_drift(*, account_id: UUID, at: datetime) -> list[DriftFinding]:
    """Take over what Stripe has of an account, as its events would have done, and look again (S5).

    Stripe is right about what was paid. Nothing is changed there, except that usage which its meters have lost is sent
    again (S7), and billing details that it has otherwise (I1). Answers what is still open. Raises
    StripeNotConfigured, stripe.StripeError.
    """
    found = find_drift(account_id=account_id, at=at)
    if not found:
        return []
    for page in sorted({row.object_id for row in found if row.kind in _PAGES}):
        sync_checkout(session_id=page, at=at)
    for invoice in _oldest_first([row.object_id for row in found if row.kind == "invoice"]):
        sync_invoice(invoice_id=invoice, at=at)
    for charge in sorted({row.object_id for row in found if row.kind == "payment"}):
        sync_charge(charge_id=charge, at=at)
    sync_customer(account_id=account_id, at=at)
    if any(row.kind == DETAILS for row in found):
        push_details(account_id=account_id, at=at, again=True)
    if any(row.kind == "meter" for row in found):
        repeat_lost_usage(account_id=account_id, at=at)
    return find_drift(account_id=account_id, at=at)


def _oldest_first(newest_first: Sequence[str]) -> list[str]:
    """Invoices as Stripe lists them, each once: documents get their numbers in the order of time."""
    return list(dict.fromkeys(reversed(newest_first)))
