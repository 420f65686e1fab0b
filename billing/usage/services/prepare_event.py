from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from uuid_utils.compat import uuid7

from billing.core.periods import Period
from billing.core.problems import Problem, problem
from billing.plans.queries import PriceBook
from billing.pricing.tokens import rate_tokens
from billing.pricing.units import rate_units
from billing.subscriptions.terms import AccountTerms, Meter
from billing.subscriptions.terms_history import TermsHistory
from billing.usage.inputs import EventInput
from billing.usage.key_use import KeysUsed
from billing.usage.rows import EventRow, digest_of
from billing.usage.services.used_so_far import UsedSoFar

CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


class Rating:
    """What the events of one batch are rated with: the account's terms, the prices, and what is used up already."""

    def __init__(self, history: TermsHistory, prices: PriceBook, used: UsedSoFar, at: datetime) -> None:
        self.history, self.prices, self.used, self.at = history, prices, used, at
        self.keys = KeysUsed(history.current)
        self._terms = history.current
        self._period = history.current.period(at)

    @property
    def version(self) -> int:
        """The lowest version number of the account that anything of this was read at."""
        return min(self.history.version, self.keys.version)

    def then(self, occurred_at: datetime) -> tuple[AccountTerms, Period]:
        """The terms and the billing period of an instant; those of the event before are tried first."""
        terms = self.history.at(occurred_at)
        if terms is not self._terms or not self._period.start <= occurred_at < self._period.end:
            self._terms, self._period = terms, terms.period(occurred_at)
        return self._terms, self._period


def prepare_event(event: EventInput, *, workspace_id: UUID, rating: Rating) -> EventRow:
    """Rate a reported event under the account's terms when it happened, in its currency, ready to be recorded.

    Raises Problem: nothing without a price is recorded as free, and nothing from the future is recorded.
    """
    occurred_at = _occurred_at(event, rating.at)
    terms, period = rating.then(occurred_at)
    key = rating.keys.of(event, workspace_id=workspace_id, terms=terms)
    if event.product == "llm":
        quantity, unit = Decimal(event.input_tokens + event.output_tokens), "token"
        cost = _token_cost(event, rating.prices, occurred_at)
    else:
        quantity = event.amount
        meter = _meter(event, terms)
        before = rating.used.take(event, quantity, period.start) if meter.price.included > 0 else Decimal(0)
        unit, cost = meter.unit, rate_units(meter.price, quantity, already_used=before)
    return EventRow(
        id=uuid7(),
        account_id=terms.account_id,
        tenant_id=terms.tenant_id,
        workspace_id=workspace_id,
        idempotency_key=event.idempotency_key,
        body_digest=digest_of(event),
        product=event.product,
        unit=unit,
        provider=event.provider,
        model=event.model,
        credential_source=key.credential_source,
        quantity=quantity,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cached_input_tokens=event.cached_input_tokens,
        cost=cost,
        currency=terms.currency,
        funding=key.funding,
        office=event.office,
        agent=event.agent,
        session=event.session,
        end_user=event.user,
        outcome="",
        occurred_at=occurred_at,
        recorded_at=rating.at,
        period_start=period.start,
        credential_reason=key.reason,
        credential_id=key.credential_id,
    )


def _occurred_at(event: EventInput, at: datetime) -> datetime:
    if event.occurred_at is None:
        return at
    if event.occurred_at > at + CLOCK_SKEW:
        raise problem(
            "event-in-the-future", f"occurred_at is more than {CLOCK_SKEW.seconds // 60} minutes ahead of us."
        )
    if event.occurred_at < EARLIEST:
        raise problem("invalid-request", f"occurred_at is before {EARLIEST:%Y-%m-%d}, when the price list begins.")
    return event.occurred_at.astimezone(UTC)  # only now: the calendar's first and last day have no UTC everywhere


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
