from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import stripe

from billing.core.money import from_minor_units
from billing.invoices.queries import asked_by_one_off
from billing.notifications.kinds import Kind
from billing.notifications.services.tell_tenant import tell_tenant
from billing.stripe_sync.arrears import named
from billing.stripe_sync.documents import documents_of
from billing.stripe_sync.models import ArrearsInvoice
from billing.stripe_sync.reading import instant
from billing.subscriptions.models import BillingAccount

FAILED, RETRY_FAILED = Kind.PAYMENT_FAILED, Kind.PAYMENT_RETRY_FAILED


@dataclass(frozen=True, slots=True)
class _Named:
    """What the tenant knows an invoice of Stripe's by, and where that is seen; without a link on the Payment page."""

    text: str
    link: str = ""
    link_text: str = ""


def tell_of_invoices(*, account: BillingAccount, invoices: Iterable[stripe.Invoice], at: datetime) -> None:
    """Tell the tenant of each try to charge an open invoice that failed, once, with the next one's date (S8)."""
    failed = [invoice for invoice in invoices if invoice.attempt_count]
    documents = documents_of(str(invoice.id) for invoice in failed) if failed else {}
    for invoice in failed:
        document = documents.get(str(invoice.id))
        if document is not None:
            called = _Named(f"invoice {document.number}", f"/invoices/{document.id}", "Open the invoice")
        else:
            called = _one_off(account, invoice)
        _tell(account, invoice, called, at)


def _one_off(account: BillingAccount, invoice: stripe.Invoice) -> _Named:
    """What has no document asks for what is left of open invoices of ours, if of any."""
    row = ArrearsInvoice.objects.filter(account_id=account.id, invoice_id=invoice.id).first()
    asked = asked_by_one_off(account.id, row.amount) if row is not None else []
    if not asked:
        return _Named(f"invoice {invoice.number or invoice.id}")
    text = named(asked).replace("I", "i", 1)
    if len(asked) > 1:
        return _Named(text, "/invoices/?status=open", "See open invoices")
    return _Named(text, f"/invoices/{asked[0].invoice.id}", "Open the invoice")


def _tell(account: BillingAccount, invoice: stripe.Invoice, called: _Named, at: datetime) -> None:
    currency = invoice.currency.upper()
    amount = f"{from_minor_units(invoice.amount_remaining, currency)} {currency}"
    kind = FAILED if invoice.attempt_count == 1 else RETRY_FAILED
    again = "The payment failed" if kind == FAILED else "The payment failed again"
    tell_tenant(
        tenant_id=account.tenant_id,
        kind=kind,
        key=f"{kind}:{invoice.id}:{invoice.attempt_count}",
        subject=f"{account.tenant.name}: {again.lower()}, {amount}",
        body=(
            f"Billing account “{account.name}”, {called.text}.\n\n"
            f"{again}: {amount} could not be charged to the card. {_next(invoice)}\n\n"
            f"Please update the card, or pay the invoice, in the billing portal.{_link(invoice)}"
        ),
        at=at,
        link=called.link,
        link_text=called.link_text,
    )


def _link(invoice: stripe.Invoice) -> str:
    return f"\n\nThe invoice: {invoice.hosted_invoice_url}" if invoice.hosted_invoice_url else ""


def _next(invoice: stripe.Invoice) -> str:
    if invoice.next_payment_attempt is None:
        return "It will not be tried again by itself."
    return f"The next try is on {instant(invoice.next_payment_attempt):%d %B %Y, %H:%M} UTC."
