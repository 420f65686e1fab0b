"""What tenants' programs are told of documents and their payment (N1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.core.money import minor_exponent
from billing.invoices.models import Invoice
from billing.invoices.queries import public_id
from billing.notifications.event_types import EventType
from billing.notifications.services.publish_events import Fact, account_data
from billing.subscriptions.models import BillingAccount


def invoice_news(
    invoice: Invoice,
    account: BillingAccount,
    kind: EventType,
    *,
    at: datetime,
    key: str = "",
    more: Mapping[str, Any] | None = None,
) -> Fact:
    """Something that happened to an invoice, told once, or once for each `key`; `more` is said of the invoice too."""
    decimals = minor_exponent(invoice.currency)
    said = {
        "id": public_id(invoice),
        "number": invoice.number,
        "currency": invoice.currency,
        "total": f"{invoice.total:.{decimals}f}",
        "amount_due": f"{invoice.amount_due:.{decimals}f}",
    }
    return Fact(
        tenant_id=account.tenant_id,
        type=kind,
        object_id=said["id"],
        key=f"{kind.value}:{invoice.id.hex}:{key}" if key else f"{kind.value}:{invoice.id.hex}",
        data={"account": account_data(account), "invoice": said | dict(more or {})},
        occurred_at=at,
    )
