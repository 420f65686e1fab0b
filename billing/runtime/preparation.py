"""What a decision about a run is prepared from: the model, its key, the quote, and who pays."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from uuid_utils.compat import uuid7

from billing.core.problems import Problem
from billing.credits.models import LedgerAccount
from billing.credits.services.open_ledger_account import platform_account
from billing.plans.queries import ListedModel, price_book
from billing.runtime.decisions import AuthorizeRow
from billing.runtime.meters import MeterNeed, check_size, meters_of
from billing.runtime.requests import AuthorizationRequest
from billing.runtime.routing import quote, route
from billing.runtime.run_keys import RunKey, RunKeys
from billing.runtime.slots import lease_seconds, slot_of
from billing.subscriptions.directory import KnownRing, Placement
from billing.subscriptions.own_keys import place_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.rows import digest_of
from tenants.queries import Caller

HOLD_FOR = timedelta(minutes=15)


class Standing(NamedTuple):
    """What a process remembers of the account that a run is for."""

    placement: Placement
    terms: AccountTerms
    keys: KnownRing

    @property
    def version(self) -> int:
        """The account's version number that all of it is at least as new as."""
        return min(self.placement.version, self.terms.version, self.keys.version)


class Offer(NamedTuple):
    """The model that a run gets, its key, the most that it can cost, and who pays. In the account's currency.

    A run on an own key is paid to the provider: nothing is held and no limit counts it (U7).
    """

    model: ListedModel
    key: RunKey
    cost: Decimal
    funding: str
    held: Decimal
    meters: list[MeterNeed]


def make_offer(
    request: AuthorizationRequest, standing: Standing, *, exhausted: Mapping[str, Problem], at: datetime
) -> Offer:
    """What the account's plan and the tenant's keys offer for a request. Raises Problem where they offer nothing."""
    terms, ring = standing.terms, standing.keys.ring
    check_size(request, terms)
    place = place_of(ring, workspace_id=standing.placement.workspace_id, office=request.office, agent=request.agent)
    keys = RunKeys(ring, place, terms, exhausted=exhausted, at=at)
    model, key = keys.first_with_key(route(request, terms, price_book(at), local=keys.local))
    cost = quote(model, request)
    if key.source == "byok":
        return Offer(model, key, cost, "provider", Decimal(0), [])
    held = cost if terms.usage_funding == "credits" else Decimal(0)
    return Offer(model, key, cost, terms.usage_funding, held, meters_of(request, terms, cost=cost, at=at))


def prepare_run(
    caller: Caller,
    request: AuthorizationRequest,
    standing: Standing,
    *,
    exhausted: Mapping[str, Problem],
    at: datetime,
    swept: bool,
) -> AuthorizeRow:
    """The request as the deciding statement takes it; `swept` where expired grants were taken back just now.

    `exhausted` has the refusals of platform budgets that did not admit the run. Raises Problem where there is no offer.
    """
    terms, slot = standing.terms, slot_of(request, standing.terms)
    offer = make_offer(request, standing, exhausted=exhausted, at=at)
    return AuthorizeRow(
        id=uuid7(),
        key=caller.key_id,
        account=terms.account_id,
        version=standing.version,
        tenant=terms.tenant_id,
        workspace=standing.placement.workspace_id,
        ledger=terms.credits_id,
        revenue=platform_account(LedgerAccount.Kind.REVENUE, terms.currency),
        idempotency_key=request.idempotency_key,
        body_digest=digest_of(request),
        provider=offer.model.provider,
        model=offer.model.model,
        credential_source=offer.key.source,
        credential_reason=offer.key.reason,
        credential_id=offer.key.credential_id,
        credential_number=offer.key.number,
        funding=offer.funding,
        rates=offer.model.rates.to_json(),
        currency=terms.currency,
        period_start=terms.period(at).start,
        input_tokens=request.input_tokens,
        max_output_tokens=request.max_output_tokens,
        hold=uuid7() if offer.held > 0 else None,
        held=offer.held,
        quoted=offer.cost,
        meters=offer.meters,
        office=request.office,
        agent=request.agent,
        session=request.session,
        end_user=request.user,
        expires_at=at + HOLD_FOR,
        swept=swept,
        sandbox=request.sandbox is True,
        named_session=slot.named_session,
        new_session=slot.new_session,
        session_slots=slot.slots,
        session_rate=slot.rate,
        session_repeats=slot.repeats,
        session_shape=slot.shape,
        session_lease=lease_seconds(),
    )
