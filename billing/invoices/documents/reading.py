"""What an issued document says, read from its sealed rows alone: made today or in ten years, it is the same (I1)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from billing.core.money_texts import SYMBOLS
from billing.invoices.countries import LETTER_PAPER
from billing.invoices.documents.facts import DocumentFacts, GroupFacts, Labelled, PartyFacts, SumFacts
from billing.invoices.documents.formats import address_lines, country_name, day, money, percent, plain, span
from billing.invoices.documents.rows import table_of
from billing.invoices.models import Invoice, InvoiceLine

_LATIN = ("Inter", "Noto Sans")
# One code point is drawn differently in Japan, Korea and where which Chinese is written.
_CJK = {"JP": "JP", "KR": "KR", "TW": "TC", "HK": "HK", "MO": "HK"}
_SETTLED = ("Nothing is to be paid or claimed: how it is settled is listed with its amounts.",)
_EXPLANATION = "What a model comes to is exact; each line is rounded once."


def document_facts(document: Invoice, lines: Iterable[InvoiceLine]) -> DocumentFacts:
    """Read an issued invoice or credit note and its lines; the invoice that it corrects is all that it may load."""
    groups = table_of(lines, document.currency)
    is_note = document.kind == Invoice.Kind.CREDIT_NOTE
    country = plain(document.customer.get("country", ""))
    return DocumentFacts(
        title="Credit note" if is_note else "Invoice",
        number=document.number,
        issued_at=document.issued_at,
        dates=_dates(document),
        seller=seller_party(document.seller),
        customer=customer_party(document.customer),
        note=plain(document.note),
        groups=groups,
        sums=_sums(document),
        due=_credited(document) if is_note else _due(document),
        settled=_settled(document) if is_note else (),
        payment=_SETTLED if is_note else _payment(document),
        explanation=_EXPLANATION if _has_exact(groups) else "",
        seal=document.content_hash,
        paper="us-letter" if country in LETTER_PAPER else "a4",
        fonts=(*_LATIN, f"Noto Sans CJK {_CJK.get(country, 'SC')}"),
    )


def _has_exact(groups: Iterable[GroupFacts]) -> bool:
    return any(part.amount for group in groups for row in group.rows for part in row.parts)


def _dates(document: Invoice) -> tuple[Labelled, ...]:
    dates = [
        Labelled(f"{Invoice.Kind(document.kind).label} number", document.number),
        Labelled("Date of issue", day(document.issued_at)),
    ]
    if document.corrects is not None:
        corrected = document.corrects
        dates.append(Labelled("Corrects invoice", f"{corrected.number} of {day(corrected.issued_at)}"))
    dates.append(Labelled("Billing period (UTC)", span(document.period_start, document.period_end)))
    return tuple(dates)


def _labelled(*pairs: tuple[str, object]) -> tuple[Labelled, ...]:
    return tuple(Labelled(label, plain(text)) for label, text in pairs if text)


def seller_party(seller: Mapping[str, Any]) -> PartyFacts:
    """Lay out what `parties.seller_facts` gave."""
    return PartyFacts(
        name=plain(seller.get("name", "")),
        address=tuple(plain(line) for line in seller.get("address", ())),
        ids=_labelled(("Tax ID", seller.get("tax_id")), ("E-mail", seller.get("email"))),
    )


def customer_party(customer: Mapping[str, Any]) -> PartyFacts:
    """Lay out what `parties.customer_facts` gave."""
    return PartyFacts(
        name=plain(customer.get("name", "")),
        address=address_lines(customer),
        ids=_labelled(
            ("Tax ID", customer.get("tax_id")),
            ("Reference", customer.get("reference")),
            ("Account", customer.get("account")),
        ),
    )


def _sums(document: Invoice) -> tuple[SumFacts, ...]:
    currency = document.currency
    sums = [SumFacts("Subtotal", money(document.subtotal, currency))]
    sums += [SumFacts(tax_label(tax, currency), money(Decimal(str(tax["amount"])), currency)) for tax in document.taxes]
    sums.append(SumFacts("Total", money(document.total, currency)))
    if document.credits_applied:
        sums.append(SumFacts("Credits applied", money(-document.credits_applied, currency), "Paid from your balance"))
    if document.carried:
        label, note = (
            ("Carried over", "Listed on earlier invoices, not asked for yet")
            if document.carried > 0
            else ("Carried forward", "Listed above, asked for on the next invoice")
        )
        sums.append(SumFacts(label, money(document.carried, currency), note))
    return tuple(sums)


def tax_label(tax: Mapping[str, Any], currency: str) -> str:
    """As in "VAT 19% (Germany) on $58.00", without what it was computed on where that was not told."""
    rate = percent(tax["percent"]) if tax.get("percent") is not None else ""
    country = plain(tax.get("country") or "")
    place = f"({country_name(country)})" if country else ""
    base = f"on {money(Decimal(str(tax['taxable'])), currency)}" if tax.get("taxable") is not None else ""
    return " ".join(filter(None, (plain(tax.get("name") or "Tax"), rate, place, base)))


def _due(document: Invoice) -> SumFacts:
    return SumFacts("Amount due", money(document.amount_due, document.currency), _code(document.currency))


def _credited(document: Invoice) -> SumFacts:
    return SumFacts("Amount credited", money(-document.total, document.currency), _code(document.currency))


def _code(currency: str) -> str:
    """Which dollars they are: a symbol alone does not say."""
    return currency if currency in SYMBOLS else ""


def _settled(document: Invoice) -> tuple[SumFacts, ...]:
    ways = (
        ("Taken off what was owed", document.off_debt),
        ("Added to your credits", document.as_credits),
        ("Given back by the payment processor", document.given_back_there),
    )
    return tuple(SumFacts(label, money(amount, document.currency)) for label, amount in ways if amount)


def _payment(document: Invoice) -> tuple[str, ...]:
    if document.amount_due <= 0:
        return ("There is nothing to pay on this invoice.",)
    if not document.external_id:
        return ("Payable on receipt, by card or by buying credits in the console: what is owed is paid first.",)
    reference = plain(document.external_number)
    named = (f"The payment’s reference is {reference}.",) if reference else ()
    return ("Payable on receipt, charged to your default payment method.", *named)
