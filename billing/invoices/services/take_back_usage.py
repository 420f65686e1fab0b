from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.pay_owed import pay_owed
from billing.invoices.balances import unspent_payments
from billing.invoices.charges import CHARGED
from billing.invoices.drafting import account_of
from billing.invoices.queries import asked_of_debt, remaining_of
from billing.invoices.reversals import document_of
from billing.invoices.services.correct_usage import correct_usage
from billing.invoices.services.refresh_payments import refresh_payments
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from billing.usage.models import UsageEvent
from billing.usage.queries import reversal_of
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
    refresh_payments(account_id=account_id, at=at)  # what was paid stands on the invoices that it paid
    event = UsageEvent.objects.get(account_id=account_id, id=event_id)
    is_asked_here = governing_agreement(account_id) is None
    reversal = reverse_event(
        account_id=account_id,
        event_id=event_id,
        reason=reason,
        at=at,
        actor=actor,
        most_off_debt=_owed_for(account, event, at) if is_asked_here else None,
    )
    correct_usage(account=account, at=at)
    if is_asked_here:
        _pay_what_no_invoice_asks_for(account, event, at)
    refresh_payments(account_id=account_id, at=at)
    return reversal


def _owed_for(account: BillingAccount, event: UsageEvent, at: datetime) -> Decimal:
    """What its cost may be taken off: nothing where the processor asked for it, which will ask for no more."""
    document = document_of(event)
    if document is not None:
        return _ZERO if document.external_id else remaining_of(document.id)
    return _on_no_invoice(account) + _payment_given_back(account, event, at)


def _on_no_invoice(account: BillingAccount) -> Decimal:
    """What is owed and not asked for by an open invoice."""
    owed = -LedgerAccount.objects.get(id=account.receivable_id).balance
    return max(owed - asked_of_debt(account.id), _ZERO)


def _payment_given_back(account: BillingAccount, event: UsageEvent, at: datetime) -> Decimal:
    """What of the event was paid before any invoice asked for it, as credits again: it is owed until it is taken off.

    Else the payment would go to the next invoice, which does not list the event, and be given back as well.
    """
    if reversal_of(event) is not None:
        return _ZERO
    amount = min(event.cost - _on_no_invoice(account), unspent_payments(account))
    if event.funding not in CHARGED or amount <= 0:
        return _ZERO
    grant_credits(
        account_id=account.credits_id,
        amount=amount,
        source=Grant.Source.ADJUSTMENT,
        idempotency_key=f"unpaid:{event.id}",
        at=at,
        description="Payment given back: the usage was taken back before it was invoiced",
        out_of=account.receivable_id,
        reason=Transfer.Reason.PAYMENT,
    )
    return amount


def _pay_what_no_invoice_asks_for(account: BillingAccount, event: UsageEvent, at: datetime) -> None:
    given = Transfer.objects.filter(idempotency_key=f"grant:{account.credits_id}:reversal:{event.id}").first()
    if given is not None:
        pay_owed(
            credits_id=account.credits_id,
            receivable_id=account.receivable_id,
            most=given.amount,
            billed=asked_of_debt(account.id),
            idempotency_key=f"reversal:{event.id}:paid",
            at=at,
        )
