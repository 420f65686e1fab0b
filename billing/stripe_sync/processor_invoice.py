"""Stripe's invoices as the values that documents are issued from and paid by (I1, I2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial

import stripe

from billing.core.money import from_minor_units
from billing.core.periods import Period
from billing.invoices.processor import (
    ProcessorInvoice,
    ProcessorLine,
    ProcessorLineKind,
    ProcessorPayment,
    ProcessorTax,
)
from billing.stripe_sync.models import StripeMeter
from billing.stripe_sync.reading import as_id, instant, price_of

_INSTANT = timedelta(seconds=1)  # what a line for a moment is written as: periods of ours are never empty
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Beside:
    """What happened to an invoice's payment beside it: `refunded` went back, None where nobody could look.

    Documented credit notes have `taken_off` from what was to be paid, and so had those that were `voided` since.
    """

    refunded: Decimal | None
    taken_off: Decimal
    voided: Decimal


def is_finalized(invoice: stripe.Invoice) -> bool:
    """Whether an invoice was given its number, whatever became of it since."""
    transitions = invoice.status_transitions
    return invoice.status != "draft" and getattr(transitions, "finalized_at", None) is not None


def is_of_subscription(invoice: stripe.Invoice) -> bool:
    """Whether a subscription asks for it; others are payments of what is owed."""
    return getattr(invoice.parent, "subscription_details", None) is not None


def has_charges(invoice: stripe.Invoice) -> bool:
    """Whether a line, of those that come with the invoice, is not zero: else there is nothing to document."""
    return invoice.total != 0 or any(_net(line) for line in invoice.lines.data)


def read_payment(invoice: stripe.Invoice, beside: Beside | None = None) -> ProcessorPayment:
    """Where the payment of a finalized invoice stands. What the customer's balance at Stripe paid counts as paid.

    `beside` is what credit notes and refunds did to it, where somebody has looked: what a documented note took off
    was not paid.
    """
    currency = invoice.currency.upper()
    is_given_up = invoice.status == "void"
    units = invoice.amount_paid if is_given_up else max(invoice.total - invoice.amount_remaining, 0)
    paid = from_minor_units(units, currency)
    if beside is not None and not is_given_up:
        paid = max(paid - beside.taken_off, Decimal(0))
    again = invoice.next_payment_attempt
    return ProcessorPayment(
        external_id=str(invoice.id),
        status=str(invoice.status),
        amount_paid=paid,
        hosted_url=invoice.hosted_invoice_url or "",
        attempts=invoice.attempt_count,
        next_attempt_at=instant(again) if again is not None and invoice.status == "open" else None,
        refunded=beside.refunded if beside is not None else None,
        voided_notes=beside.voided if beside is not None else None,
    )


def read_processor_invoice(client: stripe.StripeClient, invoice: stripe.Invoice) -> ProcessorInvoice:
    """A finalized invoice with all its lines; whoever issues a document checks that they come to its total.

    Raises stripe.StripeError.
    """
    lines = _lines(client, invoice)
    meters = dict(StripeMeter.objects.values_list("price_id", "product"))
    currency = invoice.currency.upper()
    return ProcessorInvoice(
        external_id=str(invoice.id),
        number=invoice.number or "",
        created_at=instant(invoice.created),
        currency=currency,
        renews=_renews(invoice),
        period=_period(invoice, lines, meters),
        lines=[_line(line, meters, currency) for line in lines],
        taxes=list(read_taxes(client, invoice.total_taxes or (), currency)),
        total=from_minor_units(invoice.total, currency),
    )


def _lines(client: stripe.StripeClient, invoice: stripe.Invoice) -> list[stripe.InvoiceLineItem]:
    """An invoice comes with its first lines; more are asked for."""
    if not invoice.lines.has_more:
        return list(invoice.lines.data)
    return list(client.v1.invoices.line_items.list(str(invoice.id), {"limit": 100}).auto_paging_iter())


def _net(line: stripe.InvoiceLineItem) -> int:
    """After discounts and before taxes, in minor units."""
    taken_off = line.pretax_credit_amounts or line.discount_amounts or ()  # the former include the latter
    within = sum(tax.amount for tax in line.taxes or () if tax.tax_behavior == "inclusive")
    return line.amount - sum(one.amount for one in taken_off) - within


def _line(line: stripe.InvoiceLineItem, meters: Mapping[str, str], currency: str) -> ProcessorLine:
    product = meters.get(price_of(line), "")
    return ProcessorLine(
        external_id=line.id,
        kind=_kind(line, product),
        description=(line.description or "Other charge")[:_LONGEST_TEXT],
        quantity=Decimal(str(line.quantity_decimal or line.quantity or 1)),
        amount=from_minor_units(_net(line), currency),
        period=_span([line]),
        product=product,
    )


def _kind(line: stripe.InvoiceLineItem, product: str) -> ProcessorLineKind:
    if _is_prorated(line):
        return ProcessorLineKind.PRORATION
    if product:
        return ProcessorLineKind.METERED
    is_of_item = getattr(line.parent, "subscription_item_details", None) is not None
    return ProcessorLineKind.PLAN if is_of_item else ProcessorLineKind.OTHER


def _is_prorated(line: stripe.InvoiceLineItem) -> bool:
    details = [getattr(line.parent, name, None) for name in ("subscription_item_details", "invoice_item_details")]
    return any(bool(one.proration) for one in details if one is not None)


def _renews(invoice: stripe.Invoice) -> bool:
    return invoice.billing_reason == "subscription_cycle"


def _period(invoice: stripe.Invoice, lines: Sequence[stripe.InvoiceLineItem], meters: Mapping[str, str]) -> Period:
    """What a renewal closes: the period that its meters counted, or else Stripe's own; otherwise what its lines cover.

    Beside a yearly plan the meters' months are what ends.
    """
    counted = [line for line in lines if price_of(line) in meters and not _is_prorated(line)]
    if _renews(invoice):
        return _span(counted) if counted else _stretch(invoice.period_start, invoice.period_end)
    return _span(lines) if lines else _stretch(invoice.period_start, invoice.period_end)


def _span(lines: Sequence[stripe.InvoiceLineItem]) -> Period:
    return _stretch(min(line.period.start for line in lines), max(line.period.end for line in lines))


def _stretch(start: int, end: int) -> Period:
    return Period(instant(start), max(instant(end), instant(start) + _INSTANT))


def read_taxes(
    client: stripe.StripeClient,
    taxes: Iterable[stripe.Invoice.TotalTax | stripe.CreditNote.TotalTax],
    currency: str,
) -> Iterator[ProcessorTax]:
    """Each tax with its name; one request a rate. Raises stripe.StripeError."""
    rate_of = cache(partial(_rate, client))
    for tax in taxes:
        details = tax.tax_rate_details
        rate = rate_of(as_id(details.tax_rate)) if details is not None else None
        yield ProcessorTax(
            name=rate.display_name if rate is not None else "Tax",
            percent=Decimal(str(rate.percentage)).normalize() if rate is not None else None,
            country=(rate.country or "") if rate is not None else "",
            amount=from_minor_units(tax.amount, currency),
            taxable=None if tax.taxable_amount is None else from_minor_units(tax.taxable_amount, currency),
        )


def _rate(client: stripe.StripeClient, rate_id: str) -> stripe.TaxRate | None:
    """None where a restricted key may not read it: the tax is due under whatever name."""
    try:
        return client.v1.tax_rates.retrieve(rate_id)
    except stripe.PermissionError:
        return None
