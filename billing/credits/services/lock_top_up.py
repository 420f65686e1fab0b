from uuid import UUID

from billing.credits.models import LedgerAccount, TopUp


def lock_top_up(top_up_id: UUID) -> TopUp:
    """The purchase as it stands under the lock of its ledger account: whoever changes a purchase holds that first.

    Raises TopUp.DoesNotExist.
    """
    account_id = TopUp.objects.values_list("account_id", flat=True).get(id=top_up_id)
    LedgerAccount.objects.select_for_update(no_key=True).get(id=account_id)
    return TopUp.objects.get(id=top_up_id)
