from datetime import datetime

from django.db import transaction

from billing.core.ids import encode_id
from billing.notifications.event_types import EventType
from billing.notifications.kinds import Kind
from billing.notifications.services.publish_events import Fact, account_data, publish_events
from billing.notifications.services.tell_tenant import tell_tenant
from billing.runtime.models import Session
from billing.runtime.stopped_news import news_of
from billing.subscriptions.models import BillingAccount
from tenants.models import Workspace

SESSION_STOPPED = Kind.SESSION_STOPPED


@transaction.atomic
def tell_of_stopped_sessions(*, at: datetime, limit: int = 100) -> int:
    """Tell tenants of sessions that were stopped, and their programs, each once (M9, N1); answers how many.

    Marked in one transaction with the notices and events; workers pass over what another one has.
    """
    untold = Session.objects.select_for_update(skip_locked=True, no_key=True)
    stopped = list(untold.filter(state=Session.State.STOPPED, told_at__isnull=True).order_by("ended_at")[:limit])
    accounts = BillingAccount.objects.select_related("tenant").in_bulk({session.account_id for session in stopped})
    workspaces = Workspace.objects.in_bulk({session.workspace_id for session in stopped})
    facts = []
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
        facts.append(_fact(session, account, workspaces[session.workspace_id]))
    publish_events(facts, at=at)
    Session.objects.filter(id__in=[session.id for session in stopped]).update(told_at=at)
    return len(stopped)


def _fact(session: Session, account: BillingAccount, workspace: Workspace) -> Fact:
    public_id = encode_id("ses", session.id)
    return Fact(
        tenant_id=session.tenant_id,
        type=EventType.SESSION_STOPPED,
        object_id=public_id,
        key=f"{Kind.SESSION_STOPPED}:{session.id.hex}",
        data={
            "account": account_data(account),
            "session": {"id": public_id, "name": session.name, "agent": session.agent or None},
            "workspace": workspace.slug,
            "reason": session.stopped_for,
            "runs": session.runs,
        },
        occurred_at=session.ended_at or session.heartbeat_at,
    )
