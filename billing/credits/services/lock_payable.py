from billing.credits.models import Creator, LedgerAccount


def lock_payable(creator: Creator) -> LedgerAccount:
    """What is owed to a creator, under its lock: whoever changes a payout holds it."""
    return LedgerAccount.objects.select_for_update(no_key=True).get(id=creator.payable_id)
