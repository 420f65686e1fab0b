"""The API keys page: the tenant's keys, and the form that makes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.console.forms import ApiKeyForm
from billing.console.queries import api_keys_of
from tenants.api_keys import PREFIX
from tenants.models import ApiKey


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key without its secret. `workspace` is None for a key of the whole tenant."""

    id: UUID
    name: str
    prefix: str
    last4: str
    scopes: Sequence[str]
    workspace: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKeysPage:
    """`new_key` is the plain text of a key that was made just now; it is on this page and never again."""

    keys: Sequence[KeyRow]
    form: ApiKeyForm
    new_key: str = ""


def api_keys_page(tenant_id: UUID, form: ApiKeyForm, *, new_key: str = "") -> ApiKeysPage:
    """The tenant's keys beside a form, empty or refused."""
    return ApiKeysPage([_row(key) for key in api_keys_of(tenant_id)], form, new_key)


def _row(key: ApiKey) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        prefix=PREFIX,
        last4=key.last_four,
        scopes=key.scopes,
        workspace=key.workspace.name if key.workspace else None,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
