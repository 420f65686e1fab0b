from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.pay_owed import pay_owed
from billing.invoices.drafting import account_of
from billing.invoices.queries import remaining_of, to_be_paid
from billing.invoices.reversals import document_of
from billing.invoices.services.correct_usage import correct_usage
from billing.invoices.services.refresh_payments import refresh_payments
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from billing.usage.models import UsageEvent
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import Actor

_ZERO = Decimal(0)


@transaction.atomic
def take_back_usage(*, account_id: UUID, event_id: UUID, reason: str, at: datetime, actor: Actor) -> UsageEvent:
    """Take a wrong event back, on invoices too (U3, I1); answers the reversing event, the first one a second time.

    What it was charged goes off what is still asked for it: by the invoice that lists it, which gets a credit note, or,
    while none does, off what no invoice asks for yet. The rest comes back as credits, which pay at once what else is
    owed and on no invoice. Where the payment processor asks for usage, it goes off whatever is owed. Raises
    UsageEvent.DoesNotExist, or NotReversible for a reversal.
    """
    account = account_of(account_id)
    lock_ledgers([account_id])
    event = UsageEvent.objects.get(account_id=account_id, id=event_id)
    is_asked_here = governing_agreement(account_id) is None
    reversal = reverse_event(
        account_id=account_id,
        event_id=event_id,
        reason=reason,
        at=at,
        actor=actor,
        most_off_debt=_asked_for(account, event) if is_asked_here else None,
    )
    if is_asked_here:
        _pay_what_no_invoice_asks_for(account, event, at)
    correct_usage(account=account, at=at)
    refresh_payments(account_id=account_id, at=at)
    return reversal


def _asked_for(account: BillingAccount, event: UsageEvent) -> Decimal | None:
    """What its cost may be taken off; None where the payment processor asked for it."""
    document = document_of(event)
    if document is not None:
        return None if document.external_id else remaining_of(document.id)
    owed = -LedgerAccount.objects.get(id=account.receivable_id).balance
    return max(owed - to_be_paid(account.id).amount, _ZERO)


def _pay_what_no_invoice_asks_for(account: BillingAccount, event: UsageEvent, at: datetime) -> None:
    given = Transfer.objects.filter(idempotency_key=f"grant:{account.credits_id}:reversal:{event.id}").first()
    if given is not None:
        pay_owed(
            credits_id=account.credits_id,
            receivable_id=account.receivable_id,
            most=given.amount,
            billed=to_be_paid(account.id).amount,
            idempotency_key=f"reversal:{event.id}:paid",
            at=at,
        )
