from datetime import datetime
from uuid import UUID

from tenants.models import Agent


def retire_agent(*, workspace_id: UUID, agent_id: UUID, at: datetime) -> None:
    """Retire an agent of the workspace; its row stays, since usage names it.

    Raises Agent.DoesNotExist for an unknown, foreign or retired one. One statement: of two calls one succeeds.
    """
    agents = Agent.objects.filter(id=agent_id, workspace_id=workspace_id, retired_at=None)
    if not agents.update(retired_at=at):
        raise Agent.DoesNotExist(f"The workspace has no live agent {agent_id}.")
