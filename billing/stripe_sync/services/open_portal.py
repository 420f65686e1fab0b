from datetime import datetime
from uuid import UUID

from billing.core.problems import problem
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.portal_configuration import portal_configuration_id
from billing.stripe_sync.return_urls import require_allowed


def open_portal(*, account_id: UUID, return_url: str, at: datetime) -> str:
    """The address of a page at Stripe for the account's cards, invoices and cancelling, good for a short time (S3).

    Raises Problem: billing-return-url-not-allowed, no-stripe-customer before the first Checkout, stripe-not-configured,
    stripe-unavailable.
    """
    require_allowed(return_url)
    with asking_stripe(doing="open the billing portal") as client:
        customer = StripeCustomer.objects.filter(account_id=account_id, deleted_at__isnull=True).first()
        if customer is None:
            raise problem(
                "no-stripe-customer",
                "The account has paid for nothing yet, so that there is nothing to manage.",
                remedy="Choose a paid plan or buy credits first.",
            )
        session = client.v1.billing_portal.sessions.create(
            {
                "customer": customer.customer_id,
                "return_url": return_url,
                "configuration": portal_configuration_id(client, return_url=return_url),
            }
        )
        return session.url
