from datetime import datetime

from django.db import transaction

from billing.notifications.key_news import news_of
from billing.notifications.kinds import Kind
from billing.notifications.services.tell_tenant import tell_tenant
from tenants.models import Tenant
from vault.health import is_news
from vault.models import BROKEN, Health, HealthChange
from vault.queries import assignments_of, find_credential, policy_of


def tell_of_keys(*, at: datetime, limit: int = 100) -> int:
    """Tell the owners of keys whose health has changed, each change once (K9); answers how many were read.

    Read and marked in one transaction with the notices; workers pass over what another one has. The platform's own
    keys have no owners but staff, who see them in the admin.
    """
    with transaction.atomic():
        untold = HealthChange.objects.select_for_update(skip_locked=True, of=("self",)).filter(told_at=None)
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
