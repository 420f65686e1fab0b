from datetime import datetime
from uuid import UUID

import stripe
import structlog

from billing.core.problems import problem
from billing.credits.models import Payout
from billing.credits.services.open_payout import open_payout
from billing.stripe_sync.client import is_configured
from billing.stripe_sync.errors import told
from billing.stripe_sync.services.send_payout import send_payout
from tenants.services.record_audit import Actor

_log = structlog.get_logger(__name__)


def pay_creator(*, creator_id: UUID, at: datetime, actor: Actor) -> Payout:
    """Pay a creator all that it is owed: out of the ledger first, then at Stripe (M10).

    The payout that is answered is paid, failed and owed again, or still on its way where Stripe's answer was lost: then
    it is asked again later, and arrives once. Raises PayoutRefused, Problem: stripe-not-configured.
    """
    if not is_configured():
        raise problem("stripe-not-configured", "Payments are not set up on this installation.")
    payout = open_payout(creator_id=creator_id, at=at, actor=actor)
    try:
        return send_payout(payout_id=payout.id, at=at)
    except stripe.StripeError as error:
        _log.warning("payout_unknown", payout=str(payout.id), error=told(error))
    return payout
