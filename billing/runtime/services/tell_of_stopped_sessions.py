from datetime import datetime

from django.db import transaction

from billing.notifications.kinds import Kind
from billing.notifications.services.tell_tenant import tell_tenant
from billing.runtime.models import Session
from billing.runtime.stopped_news import news_of
from billing.subscriptions.models import BillingAccount
from tenants.models import Workspace

SESSION_STOPPED = Kind.SESSION_STOPPED


@transaction.atomic
def tell_of_stopped_sessions(*, at: datetime, limit: int = 100) -> int:
    """Tell tenants of sessions that were stopped, each once (M9); answers how many were told of.

    Marked in one transaction with the notices; workers pass over what another one has.
    """
    untold = Session.objects.select_for_update(skip_locked=True, no_key=True)
    stopped = list(untold.filter(state=Session.State.STOPPED, told_at__isnull=True).order_by("ended_at")[:limit])
    accounts = BillingAccount.objects.select_related("tenant").in_bulk({session.account_id for session in stopped})
    workspaces = Workspace.objects.in_bulk({session.workspace_id for session in stopped})
    for session in stopped:
        account = accounts[session.account_id]
        news = news_of(session, account=account.name, workspace=workspaces[session.workspace_id].name)
        tell_tenant(
            tenant_id=session.tenant_id,
            kind=SESSION_STOPPED,
            key=f"{SESSION_STOPPED}:{session.id.hex}",
            subject=f"{account.tenant.name}: {news.subject}",
            body=news.text,
            at=at,
        )
    Session.objects.filter(id__in=[session.id for session in stopped]).update(told_at=at)
    return len(stopped)
