from datetime import datetime
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import DatabaseError
from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.core.money import format_amount
from billing.core.problems import problem
from billing.credits.models import LedgerAccount
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.open_ledger_account import platform_account
from billing.pricing.tokens import rate_tokens
from billing.runtime.decisions import SettleRow, SettleVerdict, decide_settle
from billing.runtime.queries import Run, find_run
from billing.runtime.requests import SettlementAnswer, SettlementRequest
from billing.runtime.slots import lease_seconds
from billing.subscriptions.own_caps import EXECUTIONS
from billing.usage.inputs import RESERVED_KEYS
from billing.usage.rows import EventRow, digest_of
from tenants.permissions import Permission
from tenants.queries import Caller
from vault.errors import VaultError
from vault.services.report_outcome import report_outcome

_log = structlog.get_logger(__name__)


def settle(*, caller: Caller, authorization_id: UUID, request: SettlementRequest, at: datetime) -> SettlementAnswer:
    """Close a run with its real figures: record the usage event and charge it at the rates that were quoted (M2).

    A cost above the hold is taken from free credits, and what they lack is owed. A run whose authorization has expired
    or was voided is settled all the same: what ran is never lost. The same figures again answer as the first time.
    Once it is settled, what the platform's own runtime tells of the key feeds the key's health (K9).
    Raises Problem: not-found, or authorization-settled for other figures.
    """
    if request.cached_tokens > request.input_tokens:
        raise problem("invalid-request", "cached_tokens are part of input_tokens and cannot exceed them.")
    run = find_run(caller=caller, authorization_id=authorization_id)
    row = _prepare(run, request, at)
    verdict = decide_settle([row], at)[0]
    if verdict.verdict == "expiry-due":
        expire_grants(account_id=run.credits_id, at=at)
        row.swept = True
        verdict = decide_settle([row], at)[0]
    if verdict.verdict == "conflict":
        raise problem("authorization-settled", "The authorization is settled already, with other figures.")
    if verdict.verdict == "settled" and caller.may(Permission.RUNTIME):
        _report(run, request.outcome, at)
    return _answer(verdict, run.currency)


def _report(run: Run, outcome: str, at: datetime) -> None:
    """Tell the vault how the run's key fared; the run is settled, whatever comes of that."""
    if run.credential_id is None or run.credential_number is None:
        return
    try:
        report_outcome(credential_id=run.credential_id, number=run.credential_number, outcome=outcome, at=at)
    except (VaultError, DatabaseError):
        _log.exception("outcome_not_reported", authorization=encode_id("auth", run.id))


def _prepare(run: Run, request: SettlementRequest, at: datetime) -> SettleRow:
    cost = rate_tokens(
        run.rates,
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        cached_input_tokens=request.cached_tokens,
    ).total
    digest = digest_of(request)
    return SettleRow(
        id=run.id,
        ledger=run.credits_id,
        receivable=run.receivable_id,
        revenue=platform_account(LedgerAccount.Kind.REVENUE, run.currency),
        digest=digest,
        cost=cost,
        event=_event(run, request, cost=cost, digest=digest, at=at),
        swept=False,
        overage_event=_overage_event(run, digest=digest, at=at) if run.overage > 0 else None,
        session_lease=lease_seconds(),
    )


def _event(
    run: Run,
    request: SettlementRequest,
    *,
    cost: Decimal,
    digest: str,
    at: datetime,
) -> EventRow:
    return EventRow(
        id=uuid7(),
        account_id=run.account_id,
        tenant_id=run.tenant_id,
        workspace_id=run.workspace_id,
        idempotency_key=f"{RESERVED_KEYS}{encode_id('auth', run.id)}",
        body_digest=digest,
        product="llm",
        unit="token",
        provider=run.provider,
        model=run.model,
        credential_source=run.credential_source,
        credential_reason=run.credential_reason,
        # The platform's keys are no tenant's to see.
        credential_id=run.credential_id if run.credential_source == "byok" else None,
        quantity=Decimal(request.input_tokens + request.output_tokens),
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        cached_input_tokens=request.cached_tokens,
        cost=cost,
        currency=run.currency,
        funding=run.funding,
        office=run.office,
        agent=run.agent,
        session=run.session,
        end_user=run.end_user,
        outcome=request.outcome,
        # The run belongs to the period that admitted it, whatever the plan is by now: its reservations are there.
        occurred_at=run.created_at,
        recorded_at=at,
        period_start=run.period_start,
        sandbox=run.sandbox,
    )


def _overage_event(run: Run, *, digest: str, at: datetime) -> EventRow:
    """The execution itself, past the limit: priced when the run was admitted, and put on the invoice (P8)."""
    return EventRow(
        id=uuid7(),
        account_id=run.account_id,
        tenant_id=run.tenant_id,
        workspace_id=run.workspace_id,
        idempotency_key=f"{RESERVED_KEYS}overage:{encode_id('auth', run.id)}",
        body_digest=digest,
        product=EXECUTIONS,
        unit="execution",
        provider="",
        model="",
        credential_source="none",
        quantity=Decimal(1),
        input_tokens=0,
        output_tokens=0,
        cached_input_tokens=0,
        cost=run.overage,
        currency=run.currency,
        funding="invoice",
        office=run.office,
        agent=run.agent,
        session=run.session,
        end_user=run.end_user,
        outcome="",
        occurred_at=run.created_at,
        recorded_at=at,
        period_start=run.period_start,
    )


def _answer(verdict: SettleVerdict, currency: str) -> SettlementAnswer:
    return SettlementAnswer(
        id=encode_id("auth", verdict.authorization_id),
        state="settled",
        cost=format_amount(verdict.cost),
        charged=format_amount(verdict.charged),
        owed=format_amount(verdict.owed),
        overage=format_amount(verdict.overage),
        balance=format_amount(verdict.balance),
        currency=currency,
        event_id=encode_id("evt", verdict.event_id),
    )
