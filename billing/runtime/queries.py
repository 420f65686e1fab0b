"""Reading authorizations, inside one tenant."""

from uuid import UUID

from billing.core.problems import problem
from billing.runtime.models import Authorization
from tenants.queries import Caller


def find_authorization(*, caller: Caller, authorization_id: UUID) -> Authorization:
    """The authorization with this id, if the caller's key may see it; raises the problem not-found."""
    found = Authorization.objects.filter(id=authorization_id, tenant_id=caller.tenant_id)
    if caller.workspace_id is not None:
        found = found.filter(workspace_id=caller.workspace_id)
    authorization = found.first()
    if authorization is None:
        raise problem("not-found", "There is no such authorization.")
    return authorization
