from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from billing.plans.models import Entitlement, MeterPrice, Plan, PlanPrice, PlanVersion
from billing.plans.services.catalogue_lock import lock_catalogue

Part = TypeVar("Part", PlanPrice, Entitlement, MeterPrice)


@transaction.atomic
def new_draft(*, plan_id: UUID, at: datetime, source_id: UUID | None = None) -> PlanVersion:
    """A draft for staff to edit: a copy of the version `source_id` of the plan, else of its published one, else empty.

    Raises Plan.DoesNotExist, and PlanVersion.DoesNotExist if the source is not a version of the plan.
    """
    lock_catalogue()
    plan = Plan.objects.get(id=plan_id)
    source = _source(plan, source_id)
    draft = PlanVersion.objects.create(
        plan=plan,
        number=(plan.versions.aggregate(number=Max("number"))["number"] or 0) + 1,
        currency=source.currency if source else "USD",
        usage_funding=source.usage_funding if source else PlanVersion.Funding.INCLUDED,
        credential_policy=source.credential_policy if source else PlanVersion.CredentialPolicy.PLATFORM,
        created_at=at,
    )
    if source is not None:
        PlanPrice.objects.bulk_create(_copy(part, draft) for part in source.prices.all())
        Entitlement.objects.bulk_create(_copy(part, draft) for part in source.entitlements.all())
        MeterPrice.objects.bulk_create(_copy(part, draft) for part in source.meters.all())
    return draft


def _source(plan: Plan, source_id: UUID | None) -> PlanVersion | None:
    if source_id is not None:
        return plan.versions.get(id=source_id)
    return plan.versions.filter(state=PlanVersion.State.PUBLISHED).first()


def _copy(part: Part, draft: PlanVersion) -> Part:
    content = {f.attname: getattr(part, f.attname) for f in part._meta.concrete_fields if not f.primary_key}
    return type(part)(**content | {"version_id": draft.id})
