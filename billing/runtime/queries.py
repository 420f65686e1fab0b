"""Reading authorizations, inside one tenant."""

from uuid import UUID

from django.db.models import Exists

from billing.core.problems import problem
from billing.runtime.models import Authorization
from tenants.models import ApiKey
from tenants.queries import Caller


def find_authorization(*, caller: Caller, authorization_id: UUID) -> Authorization:
    """The authorization with this id, if the caller's key may see it and still stands; one query.

    Raises Problem: not-found, revoked-api-key.
    """
    found = Authorization.objects.filter(id=authorization_id, tenant_id=caller.tenant_id)
    if caller.workspace_id is not None:
        found = found.filter(workspace_id=caller.workspace_id)
    live_key = ApiKey.objects.filter(id=caller.key_id, revoked_at__isnull=True)
    authorization = found.annotate(key_stands=Exists(live_key)).first()
    if authorization is None:
        raise problem("not-found", "There is no such authorization.")
    if not authorization.key_stands:
        raise problem("revoked-api-key", "The API key has been revoked.", remedy="Create a new API key.")
    return authorization
