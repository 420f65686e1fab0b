"""Documents: as they are read from the database, and really issued ones."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from uuid_utils.compat import uuid7

from billing.core.periods import Period
from billing.invoices.drafting import Draft
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.services.issue_document import issue_document
from billing.subscriptions.models import BillingAccount

NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
ISSUED = datetime(2026, 12, 1, 1, 0, 5, tzinfo=UTC)
SELLER = {
    "name": "Quaestor Cloud GmbH",
    "address": ["Torstraße 1", "10119 Berlin", "Germany"],
    "tax_id": "DE123456789",
    "email": "billing@quaestor.example",
}
CUSTOMER = {
    "name": "Acme Support Ltd",
    "line1": "12 Harbour Street",
    "line2": "",
    "postal_code": "BS1 4RN",
    "city": "Bristol",
    "region": "",
    "country": "GB",
    "tax_id": "GB123456789",
    "reference": "PO-2026-118",
    "account": "Default",
}


def make_line(amount: str = "0", **columns: Any) -> InvoiceLine:
    """A line of telephone minutes that is not saved yet; `rated` is the amount where nothing else is said."""
    period = columns.pop("period", NOVEMBER)
    usage = {"kind": "usage", "product": "pstn", "unit": "minute", "funding": "invoice", "requests": 3}
    plan = {"kind": "subscription", "product": "", "unit": "", "funding": ""}
    values = {"description": "Telephone minutes", "quantity": Decimal(1), "rated": Decimal(amount), "details": []}
    values |= (plan if columns.get("kind", "usage") not in InvoiceLine.USAGE_KINDS else usage) | columns
    return InvoiceLine(amount=Decimal(amount), period_start=period.start, period_end=period.end, **values)


def make_model(model: str, cost: str, **figures: Any) -> dict[str, Any]:
    """What a line keeps of a model."""
    counted = {"requests": 120, "input_tokens": 48_000, "output_tokens": 9_100, "cached_input_tokens": 0}
    return {"provider": "openai", "model": model, "credential_source": "platform", **counted, "cost": cost} | figures


def written(lines: Sequence[InvoiceLine], **columns: Any) -> tuple[Invoice, Sequence[InvoiceLine]]:
    """An invoice and its lines as they would be read, without a database; what is due follows from the rest."""
    for place, line in enumerate(lines, start=1):
        line.place = place
    taxes: Sequence[Mapping[str, Any]] = columns.get("taxes", [])
    subtotal = sum((line.amount for line in lines), start=Decimal(0))
    tax = sum((Decimal(each["amount"]) for each in taxes), start=Decimal(0))
    due = subtotal + tax - columns.get("credits_applied", Decimal(0)) + columns.get("carried", Decimal(0))
    values: dict[str, Any] = {
        "kind": Invoice.Kind.INVOICE,
        "number": "INV-7Q4MZK2A-0007",
        "currency": "USD",
        "period_start": NOVEMBER.start,
        "period_end": NOVEMBER.end,
        "issued_at": ISSUED,
        "seller": SELLER,
        "customer": CUSTOMER,
        "content_hash": "9b1f" * 16,
        "subtotal": subtotal,
        "tax": tax,
        "total": subtotal + tax,
        "amount_due": due,
    }
    return Invoice(**values | columns), lines


def make_document(account: BillingAccount, lines: Sequence[InvoiceLine], **columns: Any) -> Invoice:
    """A document that is issued: numbered, sealed, told. Columns are a draft's."""
    at = columns.pop("at", ISSUED)
    return issue_document(
        Draft(
            account=account,
            reason=columns.pop("reason", Invoice.Reason.CYCLE),
            period=columns.pop("period", NOVEMBER),
            lines=lines,
            **columns,
        ),
        at=at,
        document_id=uuid7(),
    )
