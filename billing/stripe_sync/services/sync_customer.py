from datetime import datetime
from uuid import UUID

import stripe
from django.db import transaction
from djstripe.models import PaymentMethod

from billing.invoices.processor import ProcessorInvoice
from billing.notifications.services.tell_of_agreement import tell_of_agreement
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.documents import undocumented
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.reading import is_live, read_states
from billing.stripe_sync.remote import read_customer, read_open_invoices, read_payment_methods, read_subscriptions
from billing.stripe_sync.services.cancel_duplicate import cancel_duplicates
from billing.stripe_sync.services.complete_meters import complete_meters
from billing.stripe_sync.services.expire_checkouts import expire_checkouts
from billing.stripe_sync.services.issue_documents import issue_documents
from billing.stripe_sync.services.tell_of_invoices import tell_of_invoices
from billing.subscriptions.services.apply_state import apply_state


@transaction.atomic
def sync_customer(*, account_id: UUID, at: datetime) -> None:
    """Read the account's customer at Stripe afresh and let the account follow (S4); nothing where it has none.

    The customer's row is locked from before the read until what it means is committed, so that of two at once the later
    one writes the newer facts. All that has to be said to Stripe is said before the billing account is locked. Raises
    StripeNotConfigured, stripe.StripeError.
    """
    customer = lock_customer(account_id)
    if customer is None:
        return
    client = stripe_client()
    remote = read_customer(client, customer.customer_id)
    subscriptions: list[stripe.Subscription] = []
    invoices: list[stripe.Invoice] = []
    to_document: list[ProcessorInvoice] = []
    if remote is None:
        customer.deleted_at = customer.deleted_at or at
    else:
        mirror(remote)
        subscriptions = _subscriptions(client, customer, at)
        invoices = read_open_invoices(client, customer.customer_id)
        to_document = undocumented(client, invoices)
        _mirror_cards(client, customer.customer_id)
    apply_state(account_id=account_id, states=read_states(subscriptions), at=at)
    issue_documents(account_id=account_id, invoices=to_document, at=at)  # whose numbers the tenant is told of
    tell_of_invoices(account=customer.account, invoices=invoices, at=at)
    tell_of_agreement(account_id=account_id, at=at)
    customer.synced_at = at
    customer.save(update_fields=["synced_at", "deleted_at"])


def lock_customer(account_id: UUID) -> StripeCustomer | None:
    """The account's customer, locked until the transaction ends."""
    customers = StripeCustomer.objects.select_for_update(of=("self",)).select_related("account__tenant")
    return customers.filter(account_id=account_id).first()


def _subscriptions(client: stripe.StripeClient, customer: StripeCustomer, at: datetime) -> list[stripe.Subscription]:
    """All of the customer's subscriptions, once what is too many is gone and the meters are complete."""
    found = read_subscriptions(client, customer.customer_id)
    if any(is_live(one) for one in found):
        expire_checkouts(client=client, customer=customer, at=at)
    if cancel_duplicates(client=client, customer=customer, subscriptions=found, at=at):
        found = read_subscriptions(client, customer.customer_id)
    if complete_meters(client=client, subscriptions=found):
        found = read_subscriptions(client, customer.customer_id)
    for subscription in found:
        mirror(subscription)
    return found


def _mirror_cards(client: stripe.StripeClient, customer_id: str) -> None:
    """Copy the cards that are there, and read again those of our copies that are not any more (I3)."""
    cards = read_payment_methods(client, customer_id)
    gone = PaymentMethod.objects.filter(customer_id=customer_id).exclude(id__in=[card.id for card in cards])
    for card in cards:
        mirror(card)
    for key in list(gone.values_list("id", flat=True)):
        mirror(client.v1.payment_methods.retrieve(key))  # Stripe keeps a card that was taken away, without a customer
