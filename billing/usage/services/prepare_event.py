from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from uuid_utils.compat import uuid7

from billing.core.periods import Period
from billing.core.problems import Problem, problem
from billing.plans.queries import PriceBook
from billing.pricing.tokens import rate_tokens
from billing.pricing.units import rate_units
from billing.subscriptions.terms import AccountTerms
from billing.usage.inputs import EventInput
from billing.usage.rows import EventRow, digest_of, funding_of
from billing.usage.services.used_so_far import UsedSoFar

CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


class Rating:
    """What the events of one batch are rated with: the account's terms, the prices, and what is used up already."""

    def __init__(self, terms: AccountTerms, prices: PriceBook, used: UsedSoFar, at: datetime) -> None:
        self.terms, self.prices, self.used, self.at = terms, prices, used, at
        self._period = terms.period(at)

    def period_of(self, occurred_at: datetime) -> Period:
        """The billing period of an instant; that of the event before is tried first."""
        if not self._period.start <= occurred_at < self._period.end:
            self._period = self.terms.period(occurred_at)
        return self._period


def prepare_event(event: EventInput, *, workspace_id: UUID, rating: Rating) -> EventRow:
    """Rate a reported event under the account's terms, in the account's currency, ready to be recorded.

    Raises Problem: nothing without a price is recorded as free, and nothing from the future is recorded.
    """
    terms, at = rating.terms, rating.at
    occurred_at = _occurred_at(event, at)
    period = rating.period_of(occurred_at)
    credential_source, funding = funding_of(event, terms)
    if event.product == "llm":
        quantity, unit = Decimal(event.input_tokens + event.output_tokens), "token"
        cost = _token_cost(event, rating.prices, occurred_at)
    else:
        quantity = event.quantity or Decimal(0)
        unit, cost = _metered_cost(event, terms, quantity, rating.used.take(event.product, period.start, quantity))
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
        credential_source=credential_source,
        quantity=quantity,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cached_input_tokens=event.cached_input_tokens,
        cost=cost,
        currency=terms.currency,
        funding=funding,
        office=event.office,
        agent=event.agent,
        session=event.session,
        end_user=event.user,
        outcome="",
        occurred_at=occurred_at,
        recorded_at=at,
        period_start=period.start,
    )


def _occurred_at(event: EventInput, at: datetime) -> datetime:
    if event.occurred_at is None:
        return at
    occurred_at = event.occurred_at.astimezone(UTC)
    if occurred_at > at + CLOCK_SKEW:
        raise problem(
            "event-in-the-future", f"occurred_at is more than {CLOCK_SKEW.seconds // 60} minutes ahead of us."
        )
    if occurred_at < EARLIEST:
        raise problem("invalid-request", f"occurred_at is before {EARLIEST:%Y-%m-%d}, when the price list begins.")
    return occurred_at


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


def _metered_cost(
    event: EventInput, terms: AccountTerms, quantity: Decimal, already_used: Decimal
) -> tuple[str, Decimal]:
    meter = terms.meters.get(event.product)
    if meter is None:
        raise problem(
            "unpriced-product",
            f"The plan “{terms.plan_name}” has no price for {event.product}.",
            remedy="Choose a plan that meters this product, then send the event again.",
        )
    return meter.unit, rate_units(meter.price, quantity, already_used=already_used)
