"""What an account owes, as far as no invoice at Stripe asks for it (S7)."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Literal

import stripe
from django.db.models import Sum

from billing.core.money import from_minor_units, minor_unit
from billing.credits.models import LedgerAccount
from billing.invoices.queries import Document
from billing.stripe_sync.models import ArrearsInvoice, StripeCustomer, StripeMeter
from billing.stripe_sync.reading import price_of
from billing.subscriptions.models import BillingAccount

LEAST = Decimal("0.50")
"""What Stripe charges at least, in dollars; other currencies ask for about as much."""
MARK = "quaestor_arrears"
"""The metadata of an invoice of ours, with the hexadecimal id of its row."""
_NAMED = 6
_MAY_BE_PAID: tuple[Literal["draft", "open"], ...] = ("draft", "open")


def owed_by(account: BillingAccount) -> Decimal:
    """What the account owes, in its currency."""
    return -LedgerAccount.objects.get(id=account.receivable_id).balance


def metered_on(client: stripe.StripeClient, invoice: stripe.Invoice) -> Decimal:
    """What the invoice's lines of metered usage come to, before any discount. Raises stripe.StripeError."""
    meters = set(StripeMeter.objects.values_list("price_id", flat=True))
    lines = client.v1.invoices.line_items.list(str(invoice.id), {"limit": 100}).auto_paging_iter()
    units = sum(line.amount for line in lines if price_of(line) in meters)
    return from_minor_units(units, invoice.currency.upper())


def billed_at_stripe(client: stripe.StripeClient, customer: StripeCustomer) -> Decimal:
    """What invoices that may still be paid ask for what is owed. Raises stripe.StripeError."""
    total = Decimal(0)
    for status in _MAY_BE_PAID:
        found = client.v1.invoices.list({"customer": customer.customer_id, "status": status, "limit": 100})
        total += sum((metered_on(client, one) for one in found.auto_paging_iter()), start=Decimal(0))
    ours = ArrearsInvoice.objects.filter(account_id=customer.account_id, state__in=ArrearsInvoice.UNPAID)
    return total + (ours.aggregate(sum=Sum("amount"))["sum"] or Decimal(0))


def unbilled(client: stripe.StripeClient, customer: StripeCustomer, *, rounding: str = ROUND_DOWN) -> Decimal:
    """What is owed and on no invoice that may still be paid, in whole minor units; a rest below one stays owed.

    Where a document of ours has rounded the rest up, ROUND_UP counts it too.
    """
    owed = owed_by(customer.account)
    if owed < LEAST:
        return Decimal(0)
    left = max(owed - billed_at_stripe(client, customer), Decimal(0))
    return left.quantize(minor_unit(customer.account.currency), rounding)


def named(documents: Sequence[Document]) -> str:
    """Open invoices of ours by their numbers, as a one-off invoice says what it is for."""
    numbers = [document.invoice.number for document in documents]
    if not numbers:
        return "Usage that is owed"
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return f"Invoice{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:_NAMED])}{more}"
