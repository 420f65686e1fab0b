from datetime import datetime
from uuid import UUID

import stripe
import structlog
from django.db import transaction

from billing.core.ids import encode_id
from billing.notifications.recipients import addresses
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.customer_details import customer_name
from billing.stripe_sync.errors import is_outage, told
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.remote import read_customer
from billing.stripe_sync.services.push_details import push_details
from billing.stripe_sync.services.repair_drift import repair_drift
from billing.subscriptions.models import BillingAccount

_log = structlog.get_logger(__name__)


def ensure_customer(*, account_id: UUID, at: datetime) -> StripeCustomer:
    """The account's customer at Stripe, adopted or made if it has none; another one where Stripe deleted it.

    It has the account's billing details from the start, by which Stripe taxes what is bought next (I1). Raises
    StripeNotConfigured, stripe.StripeError. What was made but not noted is found the next time.
    """
    row = _ensured(account_id, at)
    try:
        push_details(account_id=account_id, at=at)
    except stripe.StripeError as error:
        if is_outage(error):
            raise
        _log.warning("details_not_pushed", account=str(account_id), error=told(error))  # the periodic work tries again
    return row


def _ensured(account_id: UUID, at: datetime) -> StripeCustomer:
    client = stripe_client()
    known = StripeCustomer.objects.filter(account_id=account_id).first()
    if known is not None and known.deleted_at is None and read_customer(client, known.customer_id) is not None:
        return known
    former = known.customer_id if known is not None else ""
    if known is not None:
        repair_drift(account_id=account_id, at=at)  # what it paid unnoticed is found by its id, which is forgotten now
    account = BillingAccount.objects.select_related("tenant").get(id=account_id)
    made = _adopted(client, account, former) or _made(client, account, former)
    mirror(made)
    with transaction.atomic():
        row, _ = StripeCustomer.objects.select_for_update().get_or_create(
            account=account, defaults={"customer_id": made.id, "created_at": at}
        )
        if row.customer_id == former:
            row.customer_id, row.deleted_at, row.created_at, row.synced_at = made.id, None, at, None
            row.details_revision, row.details_refused = 0, ""
            row.save()
    return row


def _adopted(client: stripe.StripeClient, account: BillingAccount, former: str) -> stripe.Customer | None:
    """The oldest customer that carries the account's id, if Stripe has one."""
    query = f"metadata['quaestor_account']:'{encode_id('acc', account.id)}'"
    found = client.v1.customers.search({"query": query, "limit": 100}).auto_paging_iter()
    alive = [one for one in found if not getattr(one, "deleted", False) and one.id != former]
    return min(alive, key=lambda customer: (customer.created, customer.id), default=None)


def _made(client: stripe.StripeClient, account: BillingAccount, former: str) -> stripe.Customer:
    key = encode_id("acc", account.id)
    params: stripe.params.CustomerCreateParams = {
        "name": customer_name(account),
        "metadata": {"quaestor_account": key},
    }
    emails = addresses(account.tenant_id)
    if emails:
        params["email"] = emails[0]
    return client.v1.customers.create(params, {"idempotency_key": f"customer:{key}:{former}"})
