from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.core.money import format_amount
from billing.core.problems import Problem, problem
from billing.credits.services.expire_grants import expire_grants
from billing.runtime.answers import answer_to, stored_answer
from billing.runtime.decisions import AuthorizeRow, AuthorizeVerdict, decide_authorize
from billing.runtime.meters import meter_refusal
from billing.runtime.models import Authorization
from billing.runtime.preparation import Standing, prepare_run
from billing.runtime.requests import AuthorizationAnswer, AuthorizationRequest
from billing.runtime.run_keys import budget_refusal
from billing.runtime.services.find_moved_run import find_moved_run
from billing.runtime.slots import SESSION_VERDICTS, session_refusal
from billing.subscriptions import directory
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import USER_CAP, window_of
from billing.usage.rows import digest_of
from billing.usage.services.note_refusal import note_refusal
from billing.usage.services.put_on_watch import put_on_watch
from tenants.queries import Caller

_ATTEMPTS = 5


def authorize(*, caller: Caller, request: AuthorizationRequest, at: datetime) -> AuthorizationAnswer:
    """Decide whether a run may start, on whose key, and hold what it may cost (M2, K5).

    One statement checks key, plan, counters, caps, throttle and funds against each other and reserves; Python prepares
    it and explains the verdict. The same idempotency key again answers as the first time. Raises Problem.
    """
    swept = False
    for _ in range(_ATTEMPTS):
        placement = _place(caller, request)
        if placement.former:
            known = find_moved_run(placement=placement, idempotency_key=request.idempotency_key)
            if known is not None:
                return _as_then(known, request)
        standing = _standing(placement, at)
        account_id = standing.terms.account_id
        try:
            row, verdict = _decide(caller, request, standing, at=at, swept=swept)
        except Problem as refusal:
            if directory.is_current(account_id, standing.version):
                return _answered_before(account_id, request, refusal)
            directory.forget(account_id)
            continue
        match verdict.verdict:
            case "granted":
                return _granted(row, verdict)
            case "replayed":
                return stored_answer(Authorization.objects.get(id=verdict.authorization_id))
            case "stale":
                directory.forget(account_id)
            case "expiry-due":
                expire_grants(account_id=standing.terms.credits_id, at=at)
                swept = True
            case _:
                raise _refusal(verdict, row, standing.terms, at)
    raise problem("account-changed", "The account keeps changing; try again.", retry_after=1)


def _decide(
    caller: Caller, request: AuthorizationRequest, standing: Standing, *, at: datetime, swept: bool
) -> tuple[AuthorizeRow, AuthorizeVerdict]:
    """What was asked of the database, and its verdict. Raises Problem where there is nothing to ask.

    A provider whose platform budget does not admit the run is left out and the run prepared again: a tier gets its
    next model, a named model is refused (K12).
    """
    exhausted: dict[str, Problem] = {}
    while True:
        row = prepare_run(caller, request, standing, exhausted=exhausted, at=at, swept=swept)
        verdict = decide_authorize([row], at)[0]
        if verdict.verdict != "budget":
            return row, verdict
        exhausted[row.provider] = budget_refusal(row.provider, verdict.retry_after)


def _granted(row: AuthorizeRow, verdict: AuthorizeVerdict) -> AuthorizationAnswer:
    return answer_to(
        row,
        authorization_id=row.id,
        state=Authorization.State.OPEN,
        overage=verdict.overage,
        session_id=verdict.session_id,
    )


def _standing(placement: directory.Placement, at: datetime) -> Standing:
    terms = directory.terms_at(placement.account_id, at)
    return Standing(placement, terms, directory.keys_of(terms))


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
    return _as_then(known, request)


def _as_then(known: Authorization, request: AuthorizationRequest) -> AuthorizationAnswer:
    """The first answer to a key that is known; raises Problem: idempotency-conflict."""
    if bytes(known.body_digest).hex() != digest_of(request):
        raise _conflict()
    return stored_answer(known)


def _conflict() -> Problem:
    return problem("idempotency-conflict", "The idempotency key was used before for another authorization.")


def _note(feature: str, used: Decimal, row: AuthorizeRow, terms: AccountTerms, at: datetime) -> None:
    """Have whoever manages billing told of the limit that has refused."""
    note_refusal(
        terms=terms,
        feature=feature,
        subject=row.end_user if feature == USER_CAP else "",
        window_start=window_of(terms, feature, at).start,
        used=used,
        at=at,
    )


def _refusal(verdict: AuthorizeVerdict, row: AuthorizeRow, terms: AccountTerms, at: datetime) -> Problem:
    if verdict.verdict in {"limit", "throttled"} and verdict.feature is not None:
        if verdict.verdict == "limit":
            _note(verdict.feature, verdict.used or Decimal(0), row, terms, at)
        return meter_refusal(
            verdict.feature,
            verdict.used or Decimal(0),
            terms,
            at,
            verdict=verdict.verdict,
            retry_after=verdict.retry_after,
        )
    if verdict.verdict in SESSION_VERDICTS:
        return session_refusal(
            verdict.verdict, terms, feature=verdict.feature, used=verdict.used, retry_after=verdict.retry_after
        )
    if verdict.verdict == "conflict":
        return _conflict()
    if verdict.verdict == "revoked":
        return problem("revoked-api-key", "The API key has been revoked.", remedy="Create a new API key.")
    put_on_watch(account_id=terms.account_id, at=at)
    return problem(
        "insufficient-credits",
        f"The run may cost {format_amount(row.held)} {row.currency}; "
        f"{format_amount(verdict.used or Decimal(0))} {row.currency} can be spent.",
        limit_source="balance",
        remedy="Add credits, or lower max_output_tokens.",
    )
