from datetime import datetime
from decimal import Decimal

import stripe
from django.db import transaction

from billing.core.money import from_minor_units
from billing.credits.services.settle_receivable import settle_receivable
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import InvoiceSettlement, StripeCustomer, StripeMeter
from billing.stripe_sync.reading import as_id, price_of


def sync_invoice(*, invoice_id: str, at: datetime) -> bool:
    """Read an invoice afresh and copy it; a paid one settles the usage that it asked for (S4, S7). Whether it is ours.

    Its metered lines come off what the account owes, once for ever and never more than is owed; nothing else on it
    moves money here, credits least of all. A line is rounded to the minor unit, so that a part of a unit may stay owed
    or be forgiven. Raises StripeNotConfigured, stripe.StripeError.
    """
    client = stripe_client()
    seen = client.v1.invoices.retrieve(invoice_id)
    with transaction.atomic():
        customer = _locked_customer(as_id(seen.customer))
        if customer is None:
            return False
        invoice = client.v1.invoices.retrieve(invoice_id)  # again, now that nobody else applies what they have read
        if invoice.status == "paid" and not InvoiceSettlement.objects.filter(invoice_id=invoice_id).exists():
            _settle(customer, invoice_id, _metered(client, invoice), at)
        mirror(invoice)
    return True


def _locked_customer(customer_id: str) -> StripeCustomer | None:
    customers = StripeCustomer.objects.select_for_update(of=("self",)).select_related("account")
    return customers.filter(customer_id=customer_id).first()


def _metered(client: stripe.StripeClient, invoice: stripe.Invoice) -> Decimal:
    """What the invoice's lines of metered usage come to, before any discount."""
    meters = set(StripeMeter.objects.values_list("price_id", flat=True))
    lines = client.v1.invoices.line_items.list(invoice.id, {"limit": 100}).auto_paging_iter()
    units = sum(line.amount for line in lines if price_of(line) in meters)
    return from_minor_units(units, invoice.currency.upper())


def _settle(customer: StripeCustomer, invoice_id: str, metered: Decimal, at: datetime) -> None:
    if metered <= 0:
        return
    settled = settle_receivable(
        credits_id=customer.account.credits_id,
        receivable_id=customer.account.receivable_id,
        amount=metered,
        idempotency_key=f"invoice:{invoice_id}",
        at=at,
        description="Usage paid by invoice",
    )
    InvoiceSettlement.objects.create(
        invoice_id=invoice_id, account=customer.account, metered=metered, settled=settled, settled_at=at
    )
