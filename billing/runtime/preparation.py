"""What a decision about a run is prepared from: the model, the quote, and who pays."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from uuid_utils.compat import uuid7

from billing.core.problems import problem
from billing.credits.models import LedgerAccount
from billing.credits.services.open_ledger_account import platform_account
from billing.plans.queries import ListedModel, price_book
from billing.runtime.decisions import AuthorizeRow
from billing.runtime.meters import check_size, meters_of
from billing.runtime.requests import AuthorizationRequest
from billing.runtime.routing import LOCAL_PROVIDER, quote, route
from billing.subscriptions.directory import Placement
from billing.subscriptions.terms import AccountTerms
from billing.usage.rows import digest_of
from tenants.queries import Caller

HOLD_FOR = timedelta(minutes=15)


class Offer(NamedTuple):
    """The model that a run gets, the most that it can cost, and what of that is held. In the account's currency."""

    model: ListedModel
    cost: Decimal
    held: Decimal


def make_offer(request: AuthorizationRequest, terms: AccountTerms, at: datetime) -> Offer:
    """What the account's plan offers for a request. Raises Problem where it offers nothing."""
    if terms.credential_policy == "byok_only":
        raise problem(
            "missing-provider-credential",
            f"The plan “{terms.plan_name}” runs on your own provider keys, and none is set.",
            limit_source=f"plan:{terms.plan_slug}",
            remedy="Choose a plan that includes the platform's keys.",
        )
    check_size(request, terms)
    model = route(request, terms, price_book(at))
    if model.provider == LOCAL_PROVIDER:
        raise problem(
            "missing-provider-credential",
            f"{model.model} runs on your own machines, and no address of them is set.",
            remedy="Use a model of another provider.",
        )
    cost = quote(model, request)
    return Offer(model, cost, cost if terms.usage_funding == "credits" else Decimal(0))


def prepare_run(
    caller: Caller,
    request: AuthorizationRequest,
    placement: Placement,
    *,
    terms: AccountTerms,
    at: datetime,
    swept: bool,
) -> AuthorizeRow:
    """The request as the deciding statement takes it; `swept` where expired grants were taken back just now.

    Raises Problem where the plan offers nothing for it.
    """
    model, cost, held = make_offer(request, terms, at)
    return AuthorizeRow(
        id=uuid7(),
        key=caller.key_id,
        account=terms.account_id,
        version=min(placement.version, terms.version),
        tenant=terms.tenant_id,
        workspace=placement.workspace_id,
        ledger=terms.credits_id,
        revenue=platform_account(LedgerAccount.Kind.REVENUE, terms.currency),
        idempotency_key=request.idempotency_key,
        body_digest=digest_of(request),
        provider=model.provider,
        model=model.model,
        credential_source="platform",
        credential_reason="",
        credential_id=None,
        credential_number=None,
        funding=terms.usage_funding,
        rates=model.rates.to_json(),
        currency=terms.currency,
        period_start=terms.period(at).start,
        input_tokens=request.input_tokens,
        max_output_tokens=request.max_output_tokens,
        hold=uuid7() if held > 0 else None,
        held=held,
        quoted=cost,
        meters=meters_of(request, terms, cost=cost, at=at),
        office=request.office,
        agent=request.agent,
        session=request.session,
        end_user=request.user,
        expires_at=at + HOLD_FOR,
        swept=swept,
    )
