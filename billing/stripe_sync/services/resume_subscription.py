from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import problem
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.planned_change import no_subscription
from billing.stripe_sync.reckoning import keep_params
from billing.stripe_sync.services.sync_customer import lock_customer, sync_customer
from billing.subscriptions.queries import governing_agreement
from tenants.services.record_audit import Actor, record_audit


def resume_subscription(*, account_id: UUID, actor: Actor, at: datetime) -> None:
    """Take a cancellation back, as long as the plan has not ended: it renews again (P10).

    Raises Problem: no-subscription, nothing-to-change for a plan that renews anyway, stripe-not-configured,
    stripe-unavailable.
    """
    agreement = governing_agreement(account_id)
    if agreement is None:
        raise no_subscription()
    with asking_stripe(doing="resume the plan") as client:
        is_resumed = False
        with transaction.atomic():
            lock_customer(account_id)
            subscription = client.v1.subscriptions.retrieve(agreement.external_id)
            params: Any = keep_params(subscription) if subscription.ended_at is None else {}
            if params:
                client.v1.subscriptions.update(subscription.id, params)
                is_resumed = True
                record_audit(
                    tenant_id=agreement.account.tenant_id,
                    actor=actor,
                    action="subscription.resumed",
                    target=encode_id("acc", account_id),
                    at=at,
                    detail={"subscription": subscription.id},
                )
        sync_customer(account_id=account_id, at=at)
    if not is_resumed:
        raise problem("nothing-to-change", "No cancellation is waiting: the plan renews, or has ended already.")
