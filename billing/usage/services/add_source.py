from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.problems import quota_exceeded
from billing.subscriptions.terms import AccountTerms
from billing.usage.gauges import stored_bytes
from billing.usage.models import KnowledgeSource
from billing.usage.services.account_lock import lock_account_of


@transaction.atomic
def add_source(*, workspace_id: UUID, name: str, size: int, at: datetime) -> KnowledgeSource:
    """Register a knowledge-base source of `size` bytes in a workspace.

    Raises the problems quota-exceeded-kb-upload-size, then quota-exceeded-kb-storage where the account's workspaces
    together would store more than its plan allows (P6), and NoActivePlan.
    """
    terms = lock_account_of(workspace_id, at)
    _check_upload(terms, size)
    _check_storage(terms, size)
    return KnowledgeSource.objects.create(workspace_id=workspace_id, name=name, bytes=size, created_at=at)


def _check_upload(terms: AccountTerms, size: int) -> None:
    limit = terms.limit("kb_max_upload_bytes_limit")
    if limit.number is not None and size > limit.number:
        raise quota_exceeded(
            "kb-upload-size",
            detail=f"The source has {size} bytes; the largest one allowed has {limit.number}.",
            limit_source=limit.source,
            remedy="Split the source, or choose a plan with larger uploads.",
        )


def _check_storage(terms: AccountTerms, size: int) -> None:
    limit = terms.limit("kb_storage_bytes_limit")
    if limit.number is None:
        return
    stored = stored_bytes(terms.account_id)
    if stored + size > limit.number:
        raise quota_exceeded(
            "kb-storage",
            detail=f"The account stores {stored} of {limit.number} bytes; {size} more do not fit.",
            limit_source=limit.source,
            remedy="Remove sources, or choose a plan with more storage.",
        )
