from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.notifications.kinds import Kind
from billing.notifications.models import Notice

_LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Message:
    """An e-mail to who manages a tenant's billing, or its keys, or to the address `to`. `body` is plain text, its
    paragraphs divided by blank lines; `key` makes the fact told once.

    `link`, a path of the console, is what its button opens, and `link_text` what it says; else what the kind says.
    """

    tenant_id: UUID
    kind: str
    key: str
    subject: str
    body: str
    to: str = ""
    link: str = ""
    link_text: str = ""


def tell_tenants(messages: Iterable[Message], *, at: datetime) -> None:
    """Put e-mails into the outbox, in one query; a key that is there already changes nothing.

    Written in the transaction of the facts that they tell, and sent once that is committed. Raises ValueError for a
    kind that is not in `kinds.py`.
    """
    notices = [
        Notice(
            tenant_id=message.tenant_id,
            kind=Kind(message.kind),
            key=message.key,
            subject=" ".join(message.subject.split())[:_LONGEST_SUBJECT],
            body=message.body,
            to=message.to,
            link=message.link,
            link_text=message.link_text,
            created_at=at,
            due_at=at,
        )
        for message in messages
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
