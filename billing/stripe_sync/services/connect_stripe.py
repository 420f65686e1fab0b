from dataclasses import dataclass
from datetime import datetime

import stripe
from django.db import transaction

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.mirror import forget_own_account, mirror, own_account
from billing.stripe_sync.portal_configuration import put_portal_configuration
from billing.stripe_sync.push_lock import lock_push
from billing.stripe_sync.services.connect_webhooks import WebhookSetup, connect_webhooks
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.stripe_prices import PushResult


@dataclass(frozen=True)
class Connection:
    """What stands at Stripe after connecting."""

    account_id: str
    catalogue: PushResult
    portal_configuration: str
    webhooks: WebhookSetup


def connect_stripe(*, origin: str, at: datetime) -> Connection:
    """Set up at Stripe what the product needs there; safe to repeat, and to interrupt (S1, S3, S4).

    `origin` is our address as Stripe and customers reach it, without a slash at its end. A restricted key that may not
    ask whose it is leaves `account_id` empty. Raises StripeNotConfigured, stripe.StripeError.
    """
    forget_own_account()
    client = stripe_client()
    account = own_account()
    if account is not None:
        mirror(client.v1.accounts.retrieve_current())
    return Connection(
        account_id=str(account.id) if account is not None else "",
        catalogue=push_catalogue(at=at),
        portal_configuration=_configure_portal(client, origin),
        webhooks=connect_webhooks(origin=origin),
    )


@transaction.atomic
def _configure_portal(client: stripe.StripeClient, origin: str) -> str:
    lock_push()
    return put_portal_configuration(client, return_url=origin)
