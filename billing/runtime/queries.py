"""Reading authorizations, inside one tenant."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from billing.core.problems import problem
from billing.pricing.tokens import TokenRates
from tenants.queries import Caller

# By hand, not through the ORM: settling reads this once a run, and compiling the query would cost more than the rest.
_RUN = """
    SELECT z.id, z.account_id, a.credits_id, a.receivable_id, z.tenant_id, z.workspace_id, z.provider, z.model,
           z.credential_source, z.credential_reason, z.credential_id, z.credential_number, z.state, z.funding,
           z.rates::text, z.currency, z.period_start, z.office, z.agent, z.session, z.end_user, z.created_at,
           z.expires_at, z.sandbox, z.overage, z.session_row_id,
           EXISTS (SELECT FROM tenants_apikey AS k WHERE k.id = %(key)s AND k.revoked_at IS NULL)
      FROM billing_runtime_authorization AS z
      JOIN billing_subscriptions_billingaccount AS a ON a.id = z.account_id
     WHERE z.id = %(id)s AND z.tenant_id = %(tenant)s
       AND (%(workspace)s::uuid IS NULL OR z.workspace_id = %(workspace)s::uuid)
"""


class Run(NamedTuple):
    """An authorization's part in its settlement: who ran what, at which rates, on which key."""

    id: UUID
    account_id: UUID
    credits_id: UUID
    receivable_id: UUID
    tenant_id: UUID
    workspace_id: UUID
    provider: str
    model: str
    credential_source: str
    credential_reason: str
    credential_id: UUID | None
    credential_number: int | None
    state: str
    funding: str
    rates_json: str
    currency: str
    period_start: datetime
    office: str
    agent: str
    session: str
    end_user: str
    created_at: datetime
    expires_at: datetime
    sandbox: bool
    overage: Decimal
    session_row_id: UUID | None

    @property
    def rates(self) -> TokenRates:
        """The rates that the run was quoted at."""
        return TokenRates.from_json(msgspec.json.decode(self.rates_json))


def find_run(*, caller: Caller, authorization_id: UUID) -> Run:
    """The run with this authorization, if the caller's key may see it and still stands; one query.

    Raises Problem: not-found, revoked-api-key.
    """
    parameters = {
        "id": authorization_id,
        "key": caller.key_id,
        "tenant": caller.tenant_id,
        "workspace": caller.workspace_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUN, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise problem("not-found", "There is no such authorization.")
    *run, key_stands = row
    if not key_stands:
        raise problem("revoked-api-key", "The API key has been revoked.", remedy="Create a new API key.")
    return Run(*run)
