"""Authorizations as the API shows them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.core.ids import encode_id
from billing.core.money import format_amount
from billing.runtime.decisions import AuthorizeRow
from billing.runtime.models import Authorization
from billing.runtime.requests import AuthorizationAnswer


def answer_to(
    decided: AuthorizeRow | Authorization,
    *,
    authorization_id: UUID,
    state: str,
    overage: Decimal,
    session_id: UUID | None,
) -> AuthorizationAnswer:
    """The answer to a request that was granted: just now, from the row that decided, or before, from what is stored."""
    return AuthorizationAnswer(
        id=encode_id("auth", authorization_id),
        state=state,
        provider=decided.provider,
        model=decided.model,
        credential_source=decided.credential_source,
        credential=own_key_id(decided.credential_source, decided.credential_id),
        credential_reason=decided.credential_reason,
        held=format_amount(decided.held),
        overage=format_amount(overage),
        currency=decided.currency,
        session=None if session_id is None else encode_id("ses", session_id),
        expires_at=rfc3339(decided.expires_at),
    )


def stored_answer(authorization: Authorization) -> AuthorizationAnswer:
    """The answer to a request that was granted before."""
    return answer_to(
        authorization,
        authorization_id=authorization.id,
        state=authorization.state,
        overage=authorization.overage,
        session_id=authorization.session_row_id,
    )


def own_key_id(credential_source: str, credential_id: UUID | None) -> str | None:
    """The public id of a tenant's own key; which of its keys the platform uses is told to nobody."""
    if credential_source != "byok" or credential_id is None:
        return None
    return encode_id("cred", credential_id)


def rfc3339(at: datetime) -> str:
    """An instant as the API writes it, in UTC with microseconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
