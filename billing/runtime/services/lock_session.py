from datetime import datetime
from uuid import UUID

from billing.core.problems import problem
from billing.credits.models import LedgerAccount
from billing.runtime.models import Session
from billing.runtime.session_queries import as_of, find_session


def lock_slots(account_id: UUID) -> None:
    """Lock the account's credits ledger account until the transaction ends: what its sessions are changed under."""
    LedgerAccount.objects.select_for_update(no_key=True, of=("self",)).get(credits_of__id=account_id)


def lock_session(*, account_id: UUID, session_id: UUID, at: datetime) -> Session:
    """The account's session as it is at `at`, to be changed in this transaction. Raises the problem not-found."""
    lock_slots(account_id)
    session = find_session(account_id=account_id, session_id=session_id)
    if session is None:
        raise problem("not-found", "There is no such session.")
    return as_of(session, at)
