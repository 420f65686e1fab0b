from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.notifications.event_types import EventType
from billing.notifications.key_news import news_of
from billing.notifications.kinds import Kind
from billing.notifications.services.publish_events import Fact, publish_event
from billing.notifications.services.tell_tenant import tell_tenant
from tenants.models import Tenant
from vault.health import is_news
from vault.models import BROKEN, Health, HealthChange
from vault.queries import KeySummary, assignments_of, find_credential, policy_of


def tell_of_keys(*, at: datetime, limit: int = 100) -> int:
    """Tell the owners of keys whose health has changed, and their programs, each change once (K9, N1); answers how
    many were read.

    Read and marked in one transaction with the notices and events; a second worker waits, as it must not overtake. The
    platform's own keys have no owners but staff, who see them in the admin.
    """
    with transaction.atomic():
        untold = HealthChange.objects.select_for_update(of=("self",)).filter(told_at=None)
        changes = list(untold.select_related("credential__tenant").order_by("at", "id")[:limit])
        for change in changes:
            tenant = change.credential.tenant
            if tenant is not None and _is_news(change):
                _tell(change, tenant, at)
        HealthChange.objects.filter(id__in=[change.id for change in changes]).update(told_at=at)
    return len(changes)


def _is_news(change: HealthChange) -> bool:
    """Whether the owners are to hear of it. What was known before a rate limit that came and went is no news again."""
    if change.before == Health.RATE_LIMITED and change.after not in BROKEN:
        earlier = HealthChange.objects.filter(credential_id=change.credential_id, id__lt=change.id)
        known = earlier.exclude(before=Health.RATE_LIMITED).order_by("-id").values_list("before", flat=True).first()
        if known == change.after:
            return False
    return is_news(change.before, change.after)


def _tell(change: HealthChange, tenant: Tenant, at: datetime) -> None:
    key = find_credential(tenant.id, change.credential_id)
    assigned = [row for row in assignments_of(tenant.id) if row.credential_id == change.credential_id]
    after = Health(change.after)
    news = news_of(key, after, change.reason, assigned=assigned, policy=policy_of(tenant.id))
    tell_tenant(
        tenant_id=tenant.id,
        kind=Kind.KEY_HEALTH,
        key=f"{Kind.KEY_HEALTH}:{change.id.hex}",
        subject=f"{tenant.name}: {news.subject}",
        body=news.text,
        at=at,
    )
    publish_event(_fact(change, key, tenant.id), at=at)


def _fact(change: HealthChange, key: KeySummary, tenant_id: UUID) -> Fact:
    credential = key.credential
    public_id = encode_id("cred", credential.id)
    shown = {"id": public_id, "provider": credential.provider, "name": credential.name, "last_four": key.last_four}
    return Fact(
        tenant_id=tenant_id,
        type=EventType.PROVIDER_KEY_HEALTH_CHANGED,
        object_id=public_id,
        key=f"{Kind.KEY_HEALTH}:{change.id.hex}",
        data={"key": shown, "before": change.before, "health": change.after, "reason": change.reason},
        occurred_at=change.at,
    )
