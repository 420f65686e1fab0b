"""What documents of an account have asked for so far, and what of it is still to be asked for."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from billing.core.money import round_to_minor
from billing.credits.models import Transfer
from billing.invoices.charges import owed_for_credits, recorded_after
from billing.invoices.models import Invoice, InvoiceLine, InvoicePayment
from billing.invoices.reversals import corrections_of, noted_events
from billing.subscriptions.models import BillingAccount
from billing.usage.models import UsageEvent

_ZERO = Decimal(0)


def carried_over(account: BillingAccount) -> Decimal:
    """What documents list and none has asked for; negative where the processor asked before it was listed."""
    carried = Invoice.objects.filter(account_id=account.id).aggregate(sum=Sum("carried"))["sum"]
    return -(carried or _ZERO)


def lacked_credits(account: BillingAccount, *, before: datetime, listed: Decimal, others: Decimal = _ZERO) -> Decimal:
    """The part of `listed`, new usage that credits pay for, that they did not pay (M2).

    What was owed for want of credits before an instant since ever, less what was taken off it before any document
    listed it, and less what documents have asked for of it. What was owed since then is the next cycle's, but for usage
    of before that was recorded late. Negative where what was taken off was owed for `others`, new usage that credits
    do not pay for: that is paid by the credits that were not given back.
    """
    taken_off = _taken_off_before_listed(account, before) if listed or others else _ZERO
    if not listed and not taken_off:
        return _ZERO
    lines = InvoiceLine.objects.filter(account_id=account.id, funding="credits")
    charged = lines.exclude(kind=InvoiceLine.Kind.CORRECTION).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    paid = Invoice.objects.filter(account_id=account.id).aggregate(sum=Sum("credits_applied"))["sum"] or _ZERO
    owed, owed_since = owed_for_credits(account.receivable_id, before=before)
    if owed_since:
        owed += min(owed_since, recorded_after(account.id, before))
    lacked = round_to_minor(owed - taken_off, account.currency) - (charged - paid)
    return min(max(lacked, -min(others, round_to_minor(taken_off, account.currency))), listed)


def _taken_off_before_listed(account: BillingAccount, before: datetime) -> Decimal:
    """What reversals took off what was owed, of usage until an instant that credits pay for and no document lists."""
    found = unlisted_reversals(account)
    chosen = UsageEvent.objects.filter(account_id=account.id, id__in=list(found), funding="credits")
    events = chosen.filter(period_start__lt=before).values_list("id", flat=True) if found else ()
    return sum((found[event] for event in events), start=_ZERO)


def unlisted_reversals(account: BillingAccount, *, as_credits: bool = False) -> dict[UUID, Decimal]:
    """What reversals took off what the account owed, or gave back as credits, by the event that was taken back.

    Of events alone that no document lists: what documents list is taken off by credit notes. One query where there are
    no reversals.
    """
    start = f"grant:{account.credits_id}:reversal:" if as_credits else "reversal:"
    side = account.credits_id if as_credits else account.receivable_id
    moved = Transfer.objects.filter(credit_account_id=side, reason=Transfer.Reason.REVERSAL)
    rows = moved.filter(idempotency_key__startswith=start).values_list("idempotency_key", "amount")
    found = {UUID(key.removeprefix(start).removesuffix(":owed")): amount for key, amount in rows}
    if not found:
        return found
    uncredited = {event.id for correction in corrections_of(account.id) for event in correction.events}
    listed = noted_events(account.id) | uncredited
    return {event: amount for event, amount in found.items() if event not in listed}


def untaken_credit_notes(account: BillingAccount) -> list[Invoice]:
    """Credit notes that took usage off what the processor will ask for, and stand on no invoice yet."""
    taken = InvoiceLine.objects.filter(account_id=account.id, kind=InvoiceLine.Kind.CREDIT).values("external_id")
    notes = Invoice.objects.filter(account_id=account.id, kind=Invoice.Kind.CREDIT_NOTE, off_debt__gt=0)
    waiting = notes.filter(reason=Invoice.Reason.CORRECTION).exclude(corrects__external_id="").order_by("position")
    return list(waiting.exclude(number__in=taken))


def paid_in(account: BillingAccount) -> Decimal:
    """What was ever paid of what the account owes, but for the processor's invoices that are documents.

    Less what was given back of it, because what it paid for was taken back before any document listed it.
    """
    theirs = Invoice.objects.filter(account_id=account.id).exclude(external_id="")
    keys = [f"invoice:{external_id}" for external_id in theirs.values_list("external_id", flat=True)]
    payments = Transfer.objects.filter(credit_account_id=account.receivable_id, reason=Transfer.Reason.PAYMENT)
    paid = payments.exclude(idempotency_key__in=keys).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    back = Transfer.objects.filter(debit_account_id=account.receivable_id, reason=Transfer.Reason.PAYMENT)
    return paid - (back.aggregate(sum=Sum("amount"))["sum"] or _ZERO)


def unspent_payments(account: BillingAccount) -> Decimal:
    """What of it has paid for no invoice of ours yet."""
    own = InvoicePayment.objects.filter(invoice__account_id=account.id, invoice__external_id="")
    spent = own.aggregate(sum=Sum("amount_paid"))["sum"] or _ZERO
    return max(paid_in(account) - spent, _ZERO)
