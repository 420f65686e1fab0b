from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.problems import quota_exceeded
from billing.subscriptions.terms import AccountTerms
from billing.usage.gauges import live_agents
from billing.usage.services.account_lock import lock_account_of
from tenants.models import Agent, Office


@transaction.atomic
def create_agent(*, workspace_id: UUID, name: str, at: datetime, office: str | None = None) -> Agent:
    """Register an agent in a workspace, in the office with this slug, which is made when its first agent comes.

    Raises the problem quota-exceeded-agents where the account's workspaces together run as many agents as its plan
    allows (P6), and NoActivePlan.
    """
    _check_limit(lock_account_of(workspace_id, at))
    room = None
    if office is not None:
        room, _ = Office.objects.get_or_create(workspace_id=workspace_id, slug=office, defaults={"name": office})
    return Agent.objects.create(workspace_id=workspace_id, office=room, name=name, created_at=at)


def _check_limit(terms: AccountTerms) -> None:
    limit = terms.limit("agents_limit")
    if limit.number is None:
        return
    running = live_agents(terms.account_id)
    if running >= limit.number:
        raise quota_exceeded(
            "agents",
            detail=f"The account runs {running} agents and may run {limit.number}.",
            limit_source=limit.source,
            remedy="Retire an agent, or choose a plan with more.",
        )
