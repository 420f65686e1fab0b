from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from billing.stripe_sync.differences import ARREARS
from billing.stripe_sync.errors import is_outage, told
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.services.collect_arrears import collect_after_end
from billing.stripe_sync.services.find_catalogue_drift import find_catalogue_drift
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.recover_events import recover_events
from billing.stripe_sync.services.repair_drift import repair_drift

_log = structlog.get_logger(__name__)


@dataclass
class Reconciled:
    """What a run found: events that never came, accounts looked at, differing, repaired, and failed to look at."""

    recovered: int = 0
    accounts: int = 0
    drifted: int = 0
    repaired: int = 0
    failed: int = 0


def reconcile(*, at: datetime, repair: bool = True) -> Reconciled:
    """Compare everything with Stripe and repair what differs, one account after the other (S5).

    Events whose webhook was lost are fetched first. An account that fails does not stop the others, an outage stops
    the run. What is owed after a subscription's end, and is on no invoice, is invoiced then (S7). With `repair` off
    only the drift report is brought up to date. Raises StripeNotConfigured, stripe.StripeError.
    """
    result = Reconciled(recovered=recover_events(at=at) if repair else 0)
    if find_catalogue_drift(at=at) and repair:
        push_catalogue(at=at)
        find_catalogue_drift(at=at)
    for account_id in StripeCustomer.objects.order_by("synced_at", "account_id").values_list("account_id", flat=True):
        result.accounts += 1
        try:
            _look_at(account_id, result, repair=repair, at=at)
        except Exception as error:
            if is_outage(error):
                raise
            result.failed += 1
            _log.warning("reconcile_failed", account=str(account_id), error=told(error))
    return result


def _look_at(account_id: UUID, result: Reconciled, *, repair: bool, at: datetime) -> None:
    if not find_drift(account_id=account_id, at=at):
        return
    result.drifted += 1
    if not repair:
        return
    left = repair_drift(account_id=account_id, at=at)
    if any(row.kind == ARREARS for row in left) and collect_after_end(account_id=account_id, at=at):
        left = find_drift(account_id=account_id, at=at)
    if not left:
        result.repaired += 1
