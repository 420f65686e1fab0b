from datetime import datetime
from uuid import UUID

from billing.usage.models import KnowledgeSource


def remove_source(*, workspace_id: UUID, source_id: UUID, at: datetime) -> None:
    """Remove a knowledge-base source of the workspace; its row stays, its bytes are free.

    Raises KnowledgeSource.DoesNotExist for an unknown, foreign or removed one.
    """
    sources = KnowledgeSource.objects.filter(id=source_id, workspace_id=workspace_id, removed_at=None)
    if not sources.update(removed_at=at):
        raise KnowledgeSource.DoesNotExist(f"The workspace has no source {source_id}.")
