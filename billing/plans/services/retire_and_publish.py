from datetime import datetime

from billing.plans.models import PlanVersion


def retire_and_publish(version: PlanVersion, *, at: datetime) -> None:
    """Put a draft in the place of its plan's published version, in the caller's transaction.

    Subscriptions stay on the retired version until they are migrated (P1).
    """
    published, retired = PlanVersion.State.PUBLISHED, PlanVersion.State.RETIRED
    PlanVersion.objects.filter(plan_id=version.plan_id, state=published).update(state=retired)
    version.state, version.published_at = published, at
    version.save(update_fields=["state", "published_at"])
