from datetime import datetime
from uuid import UUID

import stripe
from django.db import transaction

from billing.core.money import from_minor_units
from billing.credits.models import TopUp
from billing.credits.services.take_back_top_up import take_back_top_up
from billing.invoices.models import InvoicePayment
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.credit_notes import invoices_paid_by
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.reading import as_id, given_back, noted
from billing.stripe_sync.services.credit_purchase import credit_purchase
from billing.stripe_sync.services.sync_customer import lock_customer
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.subscriptions.models import BillingAccount


def sync_charge(*, charge_id: str, at: datetime) -> bool:
    """Read a payment afresh and let the purchase of credits that it paid for follow (M4, S4); whether it is ours.

    A payment that nobody has told us of is credited; what refunds and disputes hold of it is taken back. So the order
    in which they are heard of does not matter. What was refunded of an invoice shows on its payment (I2). Raises
    StripeNotConfigured, stripe.StripeError, PaymentMismatch.
    """
    client = stripe_client()
    account_id = _account_of(client.v1.charges.retrieve(charge_id))
    if account_id is None:
        return False
    with transaction.atomic():
        customer = lock_customer(account_id)
        if customer is None:
            return False
        charge = client.v1.charges.retrieve(charge_id)  # again, now that nobody else applies what they have read
        disputes = list(client.v1.disputes.list({"charge": charge_id, "limit": 100}).auto_paging_iter())
        top_up = _top_up_of(client, charge, customer.account)
        if top_up is not None:
            _apply(top_up, customer.account, charge, disputes, at)
    if top_up is None:
        _follow_refunds(client, charge, account_id, at)
    mirror(charge)
    for dispute in disputes:
        mirror(dispute)
    return True


def _account_of(charge: stripe.Charge) -> UUID | None:
    """The billing account that paid: by its purchase, which outlives its customer at Stripe, or by the customer."""
    intent_id = as_id(charge.payment_intent)
    bought = BillingAccount.objects.filter(credits__top_ups__payment_reference=intent_id) if intent_id else None
    account = bought.first() if bought is not None else None
    if account is not None:
        return account.id
    customers = StripeCustomer.objects.filter(customer_id=as_id(charge.customer))
    return customers.values_list("account_id", flat=True).first()


def _top_up_of(client: stripe.StripeClient, charge: stripe.Charge, account: BillingAccount) -> TopUp | None:
    """The account's purchase that the payment names; None for a payment of anything else, as an invoice."""
    intent_id = as_id(charge.payment_intent)
    if not intent_id:
        return None
    found = TopUp.objects.filter(account_id=account.credits_id)
    known = found.filter(payment_reference=intent_id).first()
    if known is not None:
        return known
    mark = noted(client.v1.payment_intents.retrieve(intent_id), "quaestor_top_up")
    try:
        return found.filter(id=UUID(hex=mark)).first()
    except ValueError:
        return None


def _apply(
    top_up: TopUp, account: BillingAccount, charge: stripe.Charge, disputes: list[stripe.Dispute], at: datetime
) -> None:
    if charge.status != "succeeded" or not charge.captured:
        return
    credit_purchase(
        account=account,
        top_up_id=top_up.id,
        paid=from_minor_units(charge.amount, charge.currency.upper()),
        payment_reference=as_id(charge.payment_intent),
        at=at,
    )
    take_back_top_up(
        top_up_id=top_up.id,
        receivable_id=account.receivable_id,
        refunded=given_back(charge, disputes),
        at=at,
    )


def _follow_refunds(client: stripe.StripeClient, charge: stripe.Charge, account_id: UUID, at: datetime) -> None:
    """Read the invoice afresh that it paid, if any, where something went back, or we think so."""
    shown = InvoicePayment.objects.filter(invoice__account_id=account_id, refunded__gt=0)
    intent_id = as_id(charge.payment_intent)
    if intent_id and (charge.amount_refunded or shown.exists()):
        for invoice_id in invoices_paid_by(client, intent_id):
            sync_invoice(invoice_id=invoice_id, at=at)
