from datetime import datetime
from uuid import UUID

from billing.notifications.services.tell_tenants import Message, tell_tenants


def tell_tenant(
    *, tenant_id: UUID, kind: str, key: str, subject: str, body: str, at: datetime, link: str = "", link_text: str = ""
) -> None:
    """Put one e-mail to who manages the tenant's billing, or its keys, into the outbox; see `tell_tenants`."""
    tell_tenants([Message(tenant_id, kind, key, subject, body, link=link, link_text=link_text)], at=at)
