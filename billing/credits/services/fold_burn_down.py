from decimal import Decimal
from uuid import UUID

from django.db.models import F

from billing.credits.burn_down import burn_down
from billing.credits.models import Grant, LedgerAccount


def fold_burn_down(*, account_id: UUID) -> None:
    """Write down which grants the account's spending so far came from.

    Runs inside a transaction that goes on to add or expire a grant: spending only moves the account's total, so that a
    run touches one row, and between two such moments the order of burning cannot change.
    """
    account = LedgerAccount.objects.select_for_update(no_key=True).get(id=account_id)
    grants = list(Grant.objects.filter(account_id=account_id, amount__gt=F("consumed") + F("expired")))
    left = sum((grant.remaining for grant in grants), start=Decimal(0))
    unfolded = left - account.balance
    for grant, taken in burn_down([(grant, grant.remaining) for grant in grants], unfolded):
        grant.consumed += taken
        grant.save(update_fields=["consumed"])
