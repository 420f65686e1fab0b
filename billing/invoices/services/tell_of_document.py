from datetime import datetime, timedelta

from billing.core.money import minor_exponent, spell_amount
from billing.invoices.documents.formats import span
from billing.invoices.models import Invoice
from billing.invoices.news import invoice_news
from billing.invoices.queries import public_id
from billing.notifications.event_types import EventType
from billing.notifications.kinds import Kind
from billing.notifications.services.publish_events import Fact, account_data, publish_events
from billing.notifications.services.tell_tenants import Message, tell_tenants
from billing.subscriptions.models import BillingAccount

_LONG_AGO = timedelta(days=60)


def tell_of_document(document: Invoice, account: BillingAccount, *, at: datetime) -> None:
    """Tell the tenant, by e-mail and webhook, of an issued document, in the transaction that issues it (N1, I2).

    An invoice that nothing is due of has been paid by then, unless a later one asks for what it lists. Invoices on
    months long ago, where an installation has begun to close cycles, come without an e-mail each.
    """
    if document.kind == Invoice.Kind.INVOICE:
        message = _invoice_message(document, account)
        is_paid = document.amount_due <= 0 <= document.carried
        told = [EventType.INVOICE_ISSUED, *([EventType.INVOICE_PAID] if is_paid else [])]
        facts = [invoice_news(document, account, kind, at=at) for kind in told]
    else:
        message = _credit_note_message(document, account)
        facts = [_credit_note_fact(document, account, at)]
    if document.kind == Invoice.Kind.CREDIT_NOTE or at - document.period_end <= _LONG_AGO:
        tell_tenants([message], at=at)
    publish_events(facts, at=at)


def sealed_as(content_hash: str) -> str:
    """How an e-mail says a document's seal: whoever changes the document later does not reach the tenant's mailbox."""
    return f"Seal: {content_hash}"


def _invoice_message(document: Invoice, account: BillingAccount) -> Message:
    due = spell_amount(document.amount_due, document.currency)
    covered = span(document.period_start, document.period_end)
    total = spell_amount(document.total, document.currency)
    return Message(
        tenant_id=account.tenant_id,
        kind=Kind.INVOICE_READY,
        key=f"{Kind.INVOICE_READY}:{document.id.hex}",
        subject=f"{account.tenant.name}: invoice {document.number}, {due}",
        body=(
            f"Invoice {document.number} of billing account “{account.name}” is ready. It covers {covered} and comes to "
            f"{total}.\n\n{_what_is_due(document)}\n\n{sealed_as(document.content_hash)}"
        ),
        link=f"/invoices/{document.id}",
        link_text="Open the invoice",
    )


def _what_is_due(document: Invoice) -> str:
    if document.amount_due <= 0 and document.carried < 0:
        later = spell_amount(-document.carried, document.currency)
        return f"Nothing is due now: the next invoice of the subscription asks for {later} of it."
    if document.amount_due <= 0:
        return "Nothing is due: credits and earlier payments cover it."
    due = spell_amount(document.amount_due, document.currency)
    if document.external_id:
        return f"{due} is charged to the card of the subscription."
    return f"{due} is due. Pay it in the console; credits that you buy pay what is owed first."


def _credit_note_message(document: Invoice, account: BillingAccount) -> Message:
    amount = spell_amount(-document.total, document.currency)
    return Message(
        tenant_id=account.tenant_id,
        kind=Kind.CREDIT_NOTE,
        key=f"{Kind.CREDIT_NOTE}:{document.id.hex}",
        subject=f"{account.tenant.name}: credit note {document.number}, {amount}",
        body=(
            f"Credit note {document.number} of billing account “{account.name}” comes to {amount}."
            f"\n\n{document.note}\n\n{_how_it_is_settled(document)}".rstrip()
            + f"\n\n{sealed_as(document.content_hash)}"
        ),
        link=f"/invoices/{document.id}",
        link_text="Open the credit note",
    )


def _how_it_is_settled(document: Invoice) -> str:
    parts = [(document.off_debt, "was taken off what is owed"), (document.as_credits, "came back as credits")]
    return " ".join(f"{spell_amount(amount, document.currency)} {how}." for amount, how in parts if amount)


def _credit_note_fact(document: Invoice, account: BillingAccount, at: datetime) -> Fact:
    said = public_id(document)
    return Fact(
        tenant_id=account.tenant_id,
        type=EventType.CREDIT_NOTE_ISSUED,
        object_id=said,
        key=f"{EventType.CREDIT_NOTE_ISSUED.value}:{document.id.hex}",
        data={
            "account": account_data(account),
            "credit_note": {
                "id": said,
                "number": document.number,
                "corrects": public_id(document.corrects) if document.corrects else None,
                "currency": document.currency,
                "total": f"{document.total:.{minor_exponent(document.currency)}f}",
            },
        },
        occurred_at=at,
    )
