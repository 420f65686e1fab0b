from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import uuid_utils

from billing.core.periods import Period
from billing.core.problems import Problem, problem
from billing.plans.queries import PriceBook
from billing.pricing.tokens import rate_tokens
from billing.pricing.units import rate_units
from billing.subscriptions.terms import AccountTerms, Meter
from billing.subscriptions.terms_history import TermsHistory
from billing.usage.inputs import EventInput
from billing.usage.key_use import KeysUsed
from billing.usage.rows import BatchRow, Origin, digest_of
from billing.usage.services.used_so_far import UsedSoFar

CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


class Era(NamedTuple):
    """A billing period and the terms in it; a batch numbers its eras."""

    number: int
    terms: AccountTerms
    period: Period


class _Known(NamedTuple):
    """An origin's number in the batch, and how its product is metered; model usage has no meter."""

    number: int
    meter: Meter | None


class Rating:
    """What the events of one batch are rated with: the account's terms, the prices, and what is used up already.

    What many events have in common is worked out for the first of them: `origins` has it in order.
    """

    def __init__(self, history: TermsHistory, prices: PriceBook, used: UsedSoFar, at: datetime) -> None:
        self.history, self.prices, self.used, self.at = history, prices, used, at
        self.keys = KeysUsed(history.current)
        self.origins: list[Origin] = []
        self._known: dict[tuple[object, ...], _Known] = {}
        self._eras: dict[tuple[int, datetime], Era] = {}
        self._era = self._era_of(history.current, at)

    @property
    def version(self) -> int:
        """The lowest version number of the account that anything of this was read at."""
        return min(self.history.version, self.keys.version)

    def then(self, occurred_at: datetime) -> Era:
        """The terms and the billing period of an instant; those of the event before are tried first."""
        terms = self.history.at(occurred_at)
        era = self._era
        if terms is not era.terms or not era.period.start <= occurred_at < era.period.end:
            self._era = era = self._era_of(terms, occurred_at)
        return era

    def _era_of(self, terms: AccountTerms, occurred_at: datetime) -> Era:
        period = terms.period(occurred_at)
        return self._eras.setdefault((id(terms), period.start), Era(len(self._eras), terms, period))

    def origin(self, event: EventInput, era: Era, *, workspace_id: UUID) -> _Known:
        """Where an event comes from and how it is paid. Raises Problem where it cannot be."""
        source = (
            era.number,
            event.workspace,
            event.product,
            event.provider,
            event.model,
            event.credential_source,
            event.office,
            event.agent,
            event.session,
            event.user,
        )
        known = self._known.get(source)
        if known is None:
            known = self._known[source] = self._new_origin(event, era, workspace_id)
        return known

    def _new_origin(self, event: EventInput, era: Era, workspace_id: UUID) -> _Known:
        terms = era.terms
        key = self.keys.of(event, workspace_id=workspace_id, terms=terms)
        meter = None if event.product == "llm" else _meter(event, terms)
        origin = Origin(
            account_id=terms.account_id,
            tenant_id=terms.tenant_id,
            workspace_id=workspace_id,
            product=event.product,
            unit="token" if meter is None else meter.unit,
            provider=event.provider,
            model=event.model,
            credential_source=key.credential_source,
            currency=terms.currency,
            funding=key.funding,
            office=event.office,
            agent=event.agent,
            session=event.session,
            end_user=event.user,
            outcome="",
            recorded_at=self.at,
            period_start=era.period.start,
            credential_reason=key.reason,
            credential_id=key.credential_id,
        )
        self.origins.append(origin)
        return _Known(len(self.origins), meter)


def prepare_event(event: EventInput, *, workspace_id: UUID, rating: Rating) -> BatchRow:
    """Rate a reported event under the account's terms when it happened, in its currency, ready to be recorded.

    Raises Problem: nothing without a price is recorded as free, and nothing from the future is recorded.
    """
    occurred_at = rating.at if event.occurred_at is None else _occurred_at(event.occurred_at, rating.at)
    era = rating.then(occurred_at)
    number, meter = rating.origin(event, era, workspace_id=workspace_id)
    quantity: Decimal | int
    if meter is None:
        quantity = event.input_tokens + event.output_tokens
        cost = _token_cost(event, rating.prices, occurred_at)
    else:
        quantity = event.amount
        included = meter.price.included > 0
        before = rating.used.take(event, quantity, era.period.start) if included else Decimal(0)
        cost = rate_units(meter.price, quantity, already_used=before)
    return BatchRow(
        uuid_utils.uuid7().hex,
        event.idempotency_key,
        digest_of(event),
        number,
        quantity,
        event.input_tokens,
        event.output_tokens,
        event.cached_input_tokens,
        cost,
        occurred_at,
    )


def _occurred_at(told: datetime, at: datetime) -> datetime:
    if told > at + CLOCK_SKEW:
        raise problem(
            "event-in-the-future", f"occurred_at is more than {CLOCK_SKEW.seconds // 60} minutes ahead of us."
        )
    if told < EARLIEST:
        raise problem("invalid-request", f"occurred_at is before {EARLIEST:%Y-%m-%d}, when the price list begins.")
    return told.astimezone(UTC)  # only now: the calendar's first and last day have no UTC everywhere


def _token_cost(event: EventInput, prices: PriceBook, occurred_at: datetime) -> Decimal:
    rates = prices.rates(event.provider, event.model, occurred_at)
    if rates is None:
        raise _unpriced_model(event)
    return rate_tokens(
        rates,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cached_input_tokens=event.cached_input_tokens,
    ).total


def _unpriced_model(event: EventInput) -> Problem:
    return problem(
        "unpriced-model",
        f"The price list has no price for {event.provider}/{event.model} at that time.",
        remedy="Use a model of GET /v1/pricing/models, or have staff add its price, then send the event again.",
    )


def _meter(event: EventInput, terms: AccountTerms) -> Meter:
    meter = terms.meters.get(event.product)
    if meter is None:
        raise problem(
            "unpriced-product",
            f"The plan “{terms.plan_name}” has no price for {event.product}.",
            remedy="Choose a plan that meters this product, then send the event again.",
        )
    return meter
