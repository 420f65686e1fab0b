"""What documents say, for staff: amounts with their currency, parties and taxes in lines."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.core.money import spell_amount
from billing.invoices.documents.facts import PartyFacts
from billing.invoices.documents.reading import tax_label
from billing.invoices.models import Invoice


def amount_field(name: str, label: str) -> Callable[[Any, Invoice], str]:
    """A field of a document's page or list: an amount in its currency's own decimals, "1.91 USD"."""

    @admin.display(description=label, ordering=name)
    def shown(_page: Any, invoice: Invoice) -> str:
        return spell_amount(getattr(invoice, name), invoice.currency)

    return shown


def taxes_text(invoice: Invoice) -> SafeString | str:
    """Each tax with what it was computed on."""
    taxes = ((tax_label(tax, invoice.currency), Decimal(str(tax["amount"]))) for tax in invoice.taxes)
    return _in_lines(f"{label}: {spell_amount(amount, invoice.currency)}" for label, amount in taxes)


def party_text(party: PartyFacts) -> SafeString | str:
    """Name, address and ids, as the document prints them."""
    return _in_lines([party.name, *party.address, *(f"{known.label}: {known.text}" for known in party.ids)])


def _in_lines(texts: Iterable[str]) -> SafeString | str:
    return format_html_join("", '<span class="block">{}</span>', ((text,) for text in texts if text)) or "–"
