from datetime import datetime
from uuid import UUID

from billing.core.ids import encode_id
from billing.core.problems import problem
from billing.credits.models import LedgerAccount
from billing.credits.services.open_ledger_account import platform_account
from billing.runtime.decisions import ReleaseRow, decide_release
from billing.runtime.models import Authorization
from billing.runtime.queries import find_run
from billing.runtime.requests import VoidAnswer
from billing.runtime.slots import lease_seconds
from tenants.queries import Caller


def void(*, caller: Caller, authorization_id: UUID, at: datetime) -> VoidAnswer:
    """Give back what an authorization holds: the run did not happen. A second time, and after expiry, changes nothing.

    Raises Problem: not-found, or authorization-settled.
    """
    run = find_run(caller=caller, authorization_id=authorization_id)
    row = ReleaseRow(
        id=run.id,
        ledger=run.credits_id,
        revenue=platform_account(LedgerAccount.Kind.REVENUE, run.currency),
        session_lease=lease_seconds(),
    )
    verdict = decide_release([row], Authorization.State.VOIDED, at)[0]
    if verdict == Authorization.State.SETTLED:
        raise problem("authorization-settled", "The run is settled; what it cost cannot be voided.")
    state = Authorization.State.VOIDED if verdict == "released" else verdict
    return VoidAnswer(id=encode_id("auth", run.id), state=state)
