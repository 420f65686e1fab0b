from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.core.money import format_amount
from billing.core.problems import Problem, problem
from billing.credits.models import LedgerAccount
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.open_ledger_account import platform_account
from billing.plans.queries import price_book
from billing.runtime.decisions import AuthorizeRow, AuthorizeVerdict, decide_authorize
from billing.runtime.meters import check_size, meter_refusal, meters_of
from billing.runtime.models import Authorization
from billing.runtime.requests import AuthorizationAnswer, AuthorizationRequest
from billing.runtime.routing import quote, route
from billing.subscriptions import directory
from billing.subscriptions.terms import AccountTerms
from billing.usage.rows import digest_of
from tenants.queries import Caller

HOLD_FOR = timedelta(minutes=15)
_ATTEMPTS = 5


def authorize(*, caller: Caller, request: AuthorizationRequest, at: datetime) -> AuthorizationAnswer:
    """Decide whether a run may start, and hold what it may cost (M2).

    One statement checks key, plan, counters, caps, throttle and funds against each other and reserves; Python prepares
    it and explains the verdict. The same idempotency key again answers as the first time. Raises Problem.
    """
    swept = False
    for _ in range(_ATTEMPTS):
        placement = _place(caller, request)
        terms = directory.terms_at(placement.account_id, at)
        version = min(placement.version, terms.version)
        try:
            row = _prepare(caller, request, placement, terms, at, version=version, swept=swept)
        except Problem as refusal:
            if directory.is_current(placement.account_id, version):
                return _answered_before(placement.account_id, request, refusal)
            directory.forget(placement.account_id)
            continue
        verdict = decide_authorize([row], at)[0]
        match verdict.verdict:
            case "granted":
                return _granted(row)
            case "replayed":
                return answer_of(Authorization.objects.get(id=verdict.authorization_id))
            case "stale":
                directory.forget(placement.account_id)
            case "expiry-due":
                expire_grants(account_id=terms.credits_id, at=at)
                swept = True
            case _:
                raise _refusal(verdict, row, terms, at)
    raise problem("account-changed", "The account keeps changing; try again.", retry_after=1)


def _place(caller: Caller, request: AuthorizationRequest) -> directory.Placement:
    placement = directory.place(tenant_id=caller.tenant_id, workspace=request.workspace)
    if placement is None or caller.workspace_id not in {None, placement.workspace_id}:
        raise problem("not-found", f"There is no workspace “{request.workspace}”.")
    return placement


def _answered_before(account_id: UUID, request: AuthorizationRequest, refusal: Problem) -> AuthorizationAnswer:
    """The first answer to a request that would be refused now; raises the refusal of a new one."""
    known = Authorization.objects.filter(account_id=account_id, idempotency_key=request.idempotency_key).first()
    if known is None:
        raise refusal
    if bytes(known.body_digest).hex() != digest_of(request):
        raise _conflict()
    return answer_of(known)


def _conflict() -> Problem:
    return problem("idempotency-conflict", "The idempotency key was used before for another authorization.")


def _prepare(
    caller: Caller,
    request: AuthorizationRequest,
    placement: directory.Placement,
    terms: AccountTerms,
    at: datetime,
    *,
    version: int,
    swept: bool,
) -> AuthorizeRow:
    if terms.credential_policy == "byok_only":
        raise problem(
            "missing-provider-credential",
            f"The plan “{terms.plan_name}” runs on your own provider keys, and none is set.",
            limit_source=f"plan:{terms.plan_slug}",
            remedy="Choose a plan that includes the platform's keys.",
        )
    check_size(request, terms)
    model = route(request, terms, price_book(at))
    cost = quote(model, request)
    held = cost if terms.usage_funding == "credits" else Decimal(0)
    return AuthorizeRow(
        id=uuid7(),
        key=caller.key_id,
        account=terms.account_id,
        version=version,
        tenant=terms.tenant_id,
        workspace=placement.workspace_id,
        ledger=terms.credits_id,
        revenue=platform_account(LedgerAccount.Kind.REVENUE, terms.currency),
        idempotency_key=request.idempotency_key,
        body_digest=digest_of(request),
        provider=model.provider,
        model=model.model,
        credential_source="platform",
        funding=terms.usage_funding,
        rates=model.rates.to_json(),
        currency=terms.currency,
        period_start=terms.period(at).start,
        input_tokens=request.input_tokens,
        max_output_tokens=request.max_output_tokens,
        hold=uuid7() if held > 0 else None,
        held=held,
        meters=meters_of(request, terms, cost=cost, at=at),
        office=request.office,
        agent=request.agent,
        session=request.session,
        end_user=request.user,
        expires_at=at + HOLD_FOR,
        swept=swept,
    )


def _granted(row: AuthorizeRow) -> AuthorizationAnswer:
    return AuthorizationAnswer(
        id=encode_id("auth", row.id),
        state="open",
        provider=row.provider,
        model=row.model,
        credential_source=row.credential_source,
        held=format_amount(row.held),
        currency=row.currency,
        expires_at=rfc3339(row.expires_at),
    )


def answer_of(authorization: Authorization) -> AuthorizationAnswer:
    """An authorization as the API shows it."""
    return AuthorizationAnswer(
        id=encode_id("auth", authorization.id),
        state=authorization.state,
        provider=authorization.provider,
        model=authorization.model,
        credential_source=authorization.credential_source,
        held=format_amount(authorization.held),
        currency=authorization.currency,
        expires_at=rfc3339(authorization.expires_at),
    )


def rfc3339(at: datetime) -> str:
    """An instant in UTC with microseconds, as every answer gives it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _refusal(verdict: AuthorizeVerdict, row: AuthorizeRow, terms: AccountTerms, at: datetime) -> Problem:
    if verdict.verdict in {"limit", "throttled"} and verdict.feature is not None:
        return meter_refusal(
            verdict.feature,
            verdict.used or Decimal(0),
            terms,
            at,
            verdict=verdict.verdict,
            retry_after=verdict.retry_after,
        )
    if verdict.verdict == "conflict":
        return _conflict()
    if verdict.verdict == "revoked":
        return problem("revoked-api-key", "The API key has been revoked.", remedy="Create a new API key.")
    return problem(
        "insufficient-credits",
        f"The run may cost {format_amount(row.held)} {row.currency}; "
        f"{format_amount(verdict.used or Decimal(0))} {row.currency} can be spent.",
        limit_source="balance",
        remedy="Add credits, or lower max_output_tokens.",
    )
