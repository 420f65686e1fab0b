from datetime import datetime

from billing.core.ids import encode_id
from billing.core.money import spell_amount
from billing.core.periods import Period
from billing.invoices.models import Invoice
from billing.invoices.texts import span_text
from billing.notifications.services.tell_tenant import tell_tenant
from billing.subscriptions.models import BillingAccount

READY, CREDITED = "invoice-ready", "credit-note"


def tell_of_document(document: Invoice, account: BillingAccount, *, at: datetime) -> None:
    """Tell the tenant that a document was issued, in the transaction that issues it (N1, I2)."""
    if document.kind == Invoice.Kind.INVOICE:
        _tell_of_invoice(document, account, at)
    else:
        _tell_of_credit_note(document, account, at)


def _tell_of_invoice(document: Invoice, account: BillingAccount, at: datetime) -> None:
    due = spell_amount(document.amount_due, document.currency)
    covered = span_text(Period(document.period_start, document.period_end))
    tell_tenant(
        tenant_id=account.tenant_id,
        kind=READY,
        key=f"{READY}:{document.id.hex}",
        subject=f"{account.tenant.name}: invoice {document.number}, {due}",
        body=(
            f"Invoice {document.number} of billing account “{account.name}” is ready. It covers {covered} and comes to "
            f"{spell_amount(document.total, document.currency)}.\n\n{_what_is_due(document)}"
        ),
        at=at,
    )


def _what_is_due(document: Invoice) -> str:
    if document.amount_due <= 0:
        return "Nothing is due: credits and earlier payments cover it."
    due = spell_amount(document.amount_due, document.currency)
    if document.external_id:
        return f"{due} is charged to the card of the subscription."
    return f"{due} is due. Pay it in the console; credits that you buy pay what is owed first."


def _tell_of_credit_note(document: Invoice, account: BillingAccount, at: datetime) -> None:
    amount = spell_amount(-document.total, document.currency)
    tell_tenant(
        tenant_id=account.tenant_id,
        kind=CREDITED,
        key=f"{CREDITED}:{document.id.hex}",
        subject=f"{account.tenant.name}: credit note {document.number}, {amount}",
        body=f"Credit note {document.number} of billing account “{account.name}” comes to {amount}.\n\n{document.note}",
        at=at,
    )


def document_id(document: Invoice) -> str:
    """The public id of a document."""
    return encode_id("inv" if document.kind == Invoice.Kind.INVOICE else "cn", document.id)
