from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import FieldError, problem
from billing.stripe_sync.changes import Target
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.plan_offers import is_paid, offered_to
from billing.stripe_sync.planned_change import no_subscription
from billing.stripe_sync.reading import noted
from billing.stripe_sync.reckoning import end_params
from billing.stripe_sync.services.expire_checkouts import expire_checkouts
from billing.stripe_sync.services.sync_customer import lock_customer, sync_customer
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement
from tenants.services.record_audit import Actor, record_audit


def cancel_subscription(*, account_id: UUID, next_plan_slug: str, actor: Actor, at: datetime) -> None:
    """Let the account's paid plan end with its period instead of renewing; its allowances stay until then (P10).

    The free plan `next_plan_slug` follows, the catalogue's default where it is empty. Cancelling again changes nothing
    but that. Raises Problem: no-subscription, not-found or invalid-request for a plan that is not free,
    stripe-not-configured, stripe-unavailable.
    """
    agreement = governing_agreement(account_id)
    if agreement is None:
        raise no_subscription()
    account = BillingAccount.objects.get(id=account_id)
    if next_plan_slug:
        _require_free(account, next_plan_slug)
    with asking_stripe(doing="cancel the plan") as client:
        with transaction.atomic():
            customer = lock_customer(account_id)
            subscription = client.v1.subscriptions.retrieve(agreement.external_id)
            is_planned = subscription.cancel_at_period_end or subscription.cancel_at is not None
            is_same = is_planned and noted(subscription, "next_plan") == next_plan_slug
            if customer is not None and subscription.ended_at is None and not is_same:
                expire_checkouts(client=client, customer=customer, at=at)
                params = end_params(subscription, next_plan_slug=next_plan_slug)
                client.v1.subscriptions.update(subscription.id, params)
                _record(account, agreement.external_id, next_plan_slug, actor, at)
        sync_customer(account_id=account_id, at=at)


def _require_free(account: BillingAccount, slug: str) -> None:
    version = offered_to(account, Target(slug, "monthly", "standard"))
    if is_paid(version):
        detail = f"The plan “{version.plan.name}” is not free: what follows a cancelled plan costs nothing."
        raise problem("invalid-request", detail, errors=(FieldError("next_plan_slug", "invalid", detail),))


def _record(account: BillingAccount, external_id: str, next_plan_slug: str, actor: Actor, at: datetime) -> None:
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="subscription.cancelled",
        target=encode_id("acc", account.id),
        at=at,
        detail={"subscription": external_id, "next_plan": next_plan_slug or None},
    )
