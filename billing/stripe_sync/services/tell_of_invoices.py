from collections.abc import Iterable
from datetime import datetime

import stripe

from billing.core.money import from_minor_units
from billing.notifications.kinds import Kind
from billing.notifications.services.tell_tenant import tell_tenant
from billing.stripe_sync.documents import KnownDocument, documents_of
from billing.stripe_sync.reading import instant
from billing.subscriptions.models import BillingAccount

FAILED, RETRY_FAILED = Kind.PAYMENT_FAILED, Kind.PAYMENT_RETRY_FAILED


def tell_of_invoices(*, account: BillingAccount, invoices: Iterable[stripe.Invoice], at: datetime) -> None:
    """Tell the tenant of each try to charge an open invoice that failed, once, with the next one's date (S8)."""
    failed = [invoice for invoice in invoices if invoice.attempt_count]
    documents = documents_of(str(invoice.id) for invoice in failed) if failed else {}
    for invoice in failed:
        _tell(account, invoice, documents.get(str(invoice.id)), at)


def _tell(account: BillingAccount, invoice: stripe.Invoice, document: KnownDocument | None, at: datetime) -> None:
    currency = invoice.currency.upper()
    amount = f"{from_minor_units(invoice.amount_remaining, currency)} {currency}"
    kind = FAILED if invoice.attempt_count == 1 else RETRY_FAILED
    number = document.number if document is not None else invoice.number or invoice.id
    again = "The payment failed" if kind == FAILED else "The payment failed again"
    tell_tenant(
        tenant_id=account.tenant_id,
        kind=kind,
        key=f"{kind}:{invoice.id}:{invoice.attempt_count}",
        subject=f"{account.tenant.name}: {again.lower()}, {amount}",
        body=(
            f"Billing account “{account.name}”, invoice {number}.\n\n"
            f"{again}: {amount} could not be charged to the card. {_next(invoice)}\n\n"
            f"Please update the card, or pay the invoice, in the billing portal.{_link(invoice)}"
        ),
        at=at,
        link=f"/invoices/{document.id}" if document is not None else "",
        link_text="Open the invoice" if document is not None else "",
    )


def _link(invoice: stripe.Invoice) -> str:
    return f"\n\nThe invoice: {invoice.hosted_invoice_url}" if invoice.hosted_invoice_url else ""


def _next(invoice: stripe.Invoice) -> str:
    if invoice.next_payment_attempt is None:
        return "It will not be tried again by itself."
    return f"The next try is on {instant(invoice.next_payment_attempt):%d %B %Y, %H:%M} UTC."
