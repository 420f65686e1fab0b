from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.plans.models import Plan, PlanPrice, PlanVersion
from billing.subscriptions.agreements import (
    gives_plan,
    latest_subscription,
    terms_of_agreement,
    terms_of_subscription,
)
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.queries import governing_agreement, offered_version
from billing.subscriptions.services.put_on_terms import put_on_terms
from billing.subscriptions.services.record_plan_change import record_plan_change
from billing.subscriptions.services.subscribe import anchor_on
from billing.subscriptions.state import PlanTerms
from tenants.services.record_audit import SYSTEM


@transaction.atomic
def follow_agreement(*, account_id: UUID, at: datetime) -> None:
    """Give the account the plan that its governing agreement pays for, or the free one after it (S4, S8).

    Nothing is written where the account is on these terms already. An account whose plan comes from no agreement, and
    that has no live one, is left alone. Raises UnknownPlan where no free plan is published to fall back to.
    """
    account = BillingAccount.objects.select_for_update().get(id=account_id)
    governing, present = governing_agreement(account_id), latest_subscription(account_id)
    if governing is not None and gives_plan(governing, at):
        wanted = terms_of_agreement(governing)
    elif present is not None and present.agreement is not None:
        wanted = _free_terms(account, present.agreement, at)
    else:
        return
    if present is not None and terms_of_subscription(present) == wanted:
        return
    made = put_on_terms(account_id=account_id, terms=wanted, at=at)
    record_plan_change(former=present, present=made, actor=SYSTEM, at=at)


def _free_terms(account: BillingAccount, agreement: Agreement, at: datetime) -> PlanTerms:
    """The free plan that the subscriber chose, or the default of the catalogue; on their own keys if they were."""
    catalogue = agreement.plan_version.plan.catalogue
    default = Plan.objects.filter(catalogue=catalogue, is_default=True).values_list("slug", flat=True).first()
    for slug in filter(None, (agreement.next_plan_slug, default)):
        for variant in dict.fromkeys((agreement.variant, PlanPrice.Variant.STANDARD.value)):
            version = _free_version(slug, variant)
            if version is not None:
                anchor = anchor_on(version, signed_up_at=account.signed_up_at, at=at)
                return PlanTerms(version.id, PlanPrice.Interval.MONTHLY, variant, 1, anchor)
    raise UnknownPlan(f"The catalogue “{catalogue}” has no free plan to fall back to.")


def _free_version(slug: str, variant: str) -> PlanVersion | None:
    try:
        version = offered_version(plan_slug=slug, interval=PlanPrice.Interval.MONTHLY, variant=variant)
    except UnknownPlan:
        return None
    is_free = not version.plan.is_custom and not version.prices.filter(amount__gt=0).exists()
    return version if is_free else None
