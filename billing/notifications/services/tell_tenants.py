from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.notifications.models import Notice

_LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Message:
    """An e-mail to who manages a tenant's billing, or its keys. `body` is plain text, its paragraphs divided by blank
    lines; `key` makes the fact told once.
    """

    tenant_id: UUID
    kind: str
    key: str
    subject: str
    body: str


def tell_tenants(messages: Iterable[Message], *, at: datetime) -> None:
    """Put e-mails into the outbox, in one query; a key that is there already changes nothing.

    Written in the transaction of the facts that they tell, and sent once that is committed.
    """
    notices = [
        Notice(
            tenant_id=message.tenant_id,
            kind=message.kind,
            key=message.key,
            subject=" ".join(message.subject.split())[:_LONGEST_SUBJECT],
            body=message.body,
            created_at=at,
            due_at=at,
        )
        for message in messages
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
