from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.core.problems import problem
from billing.stripe_sync.changes import ChangePreview, Target
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.models import ChangeQuote
from billing.stripe_sync.plan_offers import price_point
from billing.stripe_sync.planned_change import Kind, PlannedChange, nothing_to_change, planned_change
from billing.stripe_sync.reckoning import reckon, wanted_on
from billing.stripe_sync.services.push_version import price_at_stripe
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.subscriptions.models import Agreement


def preview_change(*, account_id: UUID, target: Target, at: datetime) -> ChangePreview:
    """What it would cost to change the account's plan now, and from when on (P10, K11); nothing is changed.

    What is shown is noted: `change_subscription` makes exactly that, within fifteen minutes. Raises Problem: not-found,
    invalid-request, no-subscription, nothing-to-change, card-declined while a payment is overdue, account-changed where
    the subscription has ended unnoticed, stripe-not-configured, stripe-unavailable.
    """
    planned = planned_change(account_id, target)
    if planned.is_made:
        raise nothing_to_change()
    if planned.agreement is not None and planned.kind is Kind.PRORATED:
        return _prorated(planned, planned.agreement, at)
    return nothing_due(planned, next_at=planned.agreement.period_end if planned.agreement is not None else None)


def nothing_due(planned: PlannedChange, *, next_at: datetime | None) -> ChangePreview:
    """The preview of a change that moves no money."""
    point, zero = price_point(planned.price, planned.seats), Decimal(0)
    return ChangePreview(
        credit=zero,
        charge=zero,
        pending=zero,
        tax=zero,
        net=zero,
        currency=point.currency,
        price=point,
        proration_at=None,
        next_amount=zero,
        next_at=next_at,
    )


def _prorated(planned: PlannedChange, agreement: Agreement, at: datetime) -> ChangePreview:
    point = price_point(planned.price, planned.seats)
    with asking_stripe(doing="reckon the change") as client:
        price_id = price_at_stripe(plan_price=planned.price, at=at).price_id
        subscription = client.v1.subscriptions.retrieve(agreement.external_id)
        if subscription.ended_at is not None:  # which nobody has told us
            sync_customer(account_id=planned.account.id, at=at)
            raise problem("account-changed", "The subscription has ended.", remedy="Choose a plan anew.")
        wanted = wanted_on(subscription, price=planned.price, price_id=price_id, seats=planned.seats)
        reckoning = reckon(client, wanted, proration_at=None, at=at)
    ChangeQuote.objects.create(
        account=planned.account,
        subscription_id=subscription.id,
        plan_price=planned.price,
        seats=planned.seats,
        net=reckoning.net,
        proration_at=reckoning.proration_at,
        created_at=at,
    )
    return ChangePreview(
        credit=reckoning.credit,
        charge=reckoning.charge,
        pending=reckoning.pending,
        tax=reckoning.tax,
        net=reckoning.net,
        currency=point.currency,
        price=point,
        proration_at=reckoning.proration_at,
        next_amount=point.total,
        next_at=reckoning.next_at,
    )
