from datetime import datetime
from uuid import UUID

import stripe

from billing.core.ids import InvalidId, decode_id
from billing.core.money import from_minor_units
from billing.credits.models import Payout
from billing.credits.services.finish_payout import finish_payout
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.reading import noted


def sync_transfer(*, transfer_id: str, at: datetime) -> bool:
    """Read a transfer afresh and let its payout follow: sent, or taken back in part or whole (M10, S4).

    Answers whether it is one of ours. Raises StripeNotConfigured, stripe.StripeError.
    """
    transfer = stripe_client().v1.transfers.retrieve(transfer_id)
    payout_id = _payout_of(transfer)
    if payout_id is None:
        return False
    apply_transfer(payout_id=payout_id, transfer=transfer, at=at)
    return True


def apply_transfer(*, payout_id: UUID, transfer: stripe.Transfer, at: datetime) -> None:
    """Let the payout stand as its transfer does. An older reading changes nothing: what came back only grows."""
    finish_payout(
        payout_id=payout_id,
        external_id=transfer.id,
        returned=from_minor_units(transfer.amount_reversed, transfer.currency.upper()),
        at=at,
    )
    mirror(transfer)


def _payout_of(transfer: stripe.Transfer) -> UUID | None:
    known = Payout.objects.filter(external_id=transfer.id).values_list("id", flat=True).first()
    if known is not None:
        return known
    try:
        named = decode_id("pay", noted(transfer, "quaestor_payout"))
    except InvalidId:
        return None
    return Payout.objects.filter(id=named).values_list("id", flat=True).first()
