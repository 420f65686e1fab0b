import stripe
from django.db import transaction

from billing.credits.models import Creator
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.errors import is_gone


@transaction.atomic
def sync_connected_account(*, external_account: str) -> bool:
    """Read a creator's account at Stripe afresh: whether it may be paid (M10, S4). Whether it is one of ours.

    One that was deleted, or has cut its connection, may not. Raises StripeNotConfigured, stripe.StripeError.
    """
    creator = Creator.objects.select_for_update().filter(external_account=external_account).first()
    if creator is None:
        return False
    creator.payouts_enabled = _may_be_paid(external_account)
    creator.save(update_fields=["payouts_enabled"])
    return True


def _may_be_paid(external_account: str) -> bool:
    try:
        account = stripe_client().v1.accounts.retrieve(external_account)
    except stripe.PermissionError:
        return False
    except stripe.InvalidRequestError as error:
        if is_gone(error):
            return False
        raise
    capabilities = account.capabilities
    return bool(account.payouts_enabled and capabilities is not None and capabilities.transfers == "active")
