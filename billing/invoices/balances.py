"""What documents of an account have asked for so far, and what of it is still to be asked for."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from billing.core.money import round_to_minor
from billing.credits.models import Transfer
from billing.invoices.charges import owed_for_credits, recorded_after
from billing.invoices.models import Invoice, InvoiceLine
from billing.subscriptions.models import BillingAccount

_ZERO = Decimal(0)


def carried_over(account: BillingAccount) -> Decimal:
    """What documents list and none has asked for; negative where the processor asked before it was listed."""
    carried = Invoice.objects.filter(account_id=account.id).aggregate(sum=Sum("carried"))["sum"]
    return -(carried or _ZERO)


def lacked_credits(account: BillingAccount, *, before: datetime, listed: Decimal) -> Decimal:
    """The part of `listed`, new usage that credits pay for, that they did not pay (M2).

    What was owed for want of credits before an instant since ever, less what documents have asked for of it. What was
    owed since then is the next cycle's, but for usage of before that was recorded late.
    """
    if not listed:
        return _ZERO
    lines = InvoiceLine.objects.filter(account_id=account.id, funding="credits")
    charged = lines.exclude(kind=InvoiceLine.Kind.CORRECTION).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    paid = Invoice.objects.filter(account_id=account.id).aggregate(sum=Sum("credits_applied"))["sum"] or _ZERO
    owed, owed_since = owed_for_credits(account.receivable_id, before=before)
    if owed_since:
        owed += min(owed_since, recorded_after(account.id, before))
    return min(max(round_to_minor(owed, account.currency) - (charged - paid), _ZERO), listed)


def untaken_credit_notes(account: BillingAccount) -> list[Invoice]:
    """Credit notes that took usage off what the processor will ask for, and stand on no invoice yet."""
    taken = InvoiceLine.objects.filter(account_id=account.id, kind=InvoiceLine.Kind.CREDIT).values("external_id")
    notes = Invoice.objects.filter(account_id=account.id, kind=Invoice.Kind.CREDIT_NOTE, off_debt__gt=0)
    waiting = notes.filter(reason=Invoice.Reason.CORRECTION).exclude(corrects__external_id="").order_by("position")
    return list(waiting.exclude(number__in=taken))


def paid_in(account: BillingAccount) -> Decimal:
    """What was ever paid of what the account owes, but for the processor's invoices that are documents."""
    theirs = Invoice.objects.filter(account_id=account.id).exclude(external_id="")
    keys = [f"invoice:{external_id}" for external_id in theirs.values_list("external_id", flat=True)]
    payments = Transfer.objects.filter(credit_account_id=account.receivable_id, reason=Transfer.Reason.PAYMENT)
    return payments.exclude(idempotency_key__in=keys).aggregate(sum=Sum("amount"))["sum"] or _ZERO
