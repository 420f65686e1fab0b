from datetime import datetime
from uuid import UUID

from billing.notifications.models import Notice

_LONGEST_SUBJECT = 200


def tell_tenant(*, tenant_id: UUID, kind: str, key: str, subject: str, body: str, at: datetime) -> None:
    """Put an e-mail to who manages the tenant's billing, or its keys, into the outbox; the same key changes nothing.

    Written in the transaction of the fact that it tells, and sent once that is committed. `body` is plain text, its
    paragraphs divided by blank lines.
    """
    notice = Notice(
        tenant_id=tenant_id,
        kind=kind,
        key=key,
        subject=" ".join(subject.split())[:_LONGEST_SUBJECT],
        body=body,
        created_at=at,
        due_at=at,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
