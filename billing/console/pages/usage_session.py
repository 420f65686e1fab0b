"""A session's own page: what it came to in a period, of which models, event by event (U5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.feature_texts import product_name
from billing.console.pages.usage_choice import PeriodOption
from billing.console.pages.usage_names import place_names
from billing.console.pages.usage_parts import Part, meter_parts
from billing.console.usage_queries import session_events, session_span
from billing.subscriptions.models import BillingAccount
from billing.usage.models import UsageEvent
from billing.usage.session_ledger import breakdown_of
from billing.usage.sums import OWN_KEY, Totals, totals_of
from tenants.models import Workspace

EVENTS = 50


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Which session: of a workspace of the tenant, in a period of the account."""

    option: PeriodOption
    workspace: Workspace
    session: str

    @property
    def query(self) -> str:
        """As addresses name it."""
        return urlencode({"period": self.option.key, "workspace": self.workspace.slug, "session": self.session})


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event. `quantity` is None for calls of models, which have tokens; `own_key`: its cost is not billed (U7)."""

    at: datetime
    what: str
    provider: str
    quantity: Decimal | None
    unit: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal
    own_key: bool
    is_correction: bool


@dataclass(frozen=True, slots=True)
class EventSlice:
    """Events, the latest recorded first, and the address of the older ones; empty at the end."""

    currency: str
    rows: Sequence[EventRow]
    next_url: str


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Amounts in `currency`; `billed` is the cost without what ran on own keys."""

    key: SessionKey
    currency: str
    offices: Sequence[str]
    agents: Sequence[str]
    first_at: datetime
    last_at: datetime
    totals: Totals
    billed: Decimal
    parts: Sequence[Part]
    events: EventSlice
    is_older: bool

    @property
    def tokens(self) -> int:
        return self.totals.input_tokens + self.totals.output_tokens


def session_page(account: BillingAccount, key: SessionKey, *, before: UUID | None) -> SessionPage | None:
    """None where the account has no such session in the period."""
    period, workspace_id = key.option.period, key.workspace.id
    span = session_span(account_id=account.id, period=period, workspace_id=workspace_id, session=key.session)
    if span is None:
        return None
    readings = breakdown_of(account_id=account.id, period=period, workspace_id=workspace_id, session=key.session)
    names = place_names(account.tenant_id, span.agents)
    totals = totals_of(readings)
    return SessionPage(
        key=key,
        currency=account.currency,
        offices=[names.office(workspace_id, office) for office in span.offices],
        agents=[names.agent(agent) for agent in span.agents],
        first_at=span.first_at,
        last_at=span.last_at,
        totals=totals,
        billed=totals.cost - totals.own_key_cost,
        parts=meter_parts(readings),
        events=event_slice(account, key, before=before),
        is_older=before is not None,
    )


def event_slice(account: BillingAccount, key: SessionKey, *, before: UUID | None) -> EventSlice:
    """Up to a page of the session's events; one query."""
    events = session_events(
        account_id=account.id,
        period=key.option.period,
        workspace_id=key.workspace.id,
        session=key.session,
        limit=EVENTS + 1,
        before=before,
    )
    next_url = ""
    if len(events) > EVENTS:
        cursor = urlencode({"before": events[EVENTS - 1].id.hex})
        next_url = f"{reverse('console:usage_session')}?{key.query}&{cursor}"
    return EventSlice(account.currency, [_row(event) for event in events[:EVENTS]], next_url)


def _row(event: UsageEvent) -> EventRow:
    return EventRow(
        at=event.occurred_at,
        what=event.model or product_name(event.product),
        provider=event.provider,
        quantity=None if event.model else event.quantity,
        unit=event.unit,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cached_input_tokens=event.cached_input_tokens,
        cost=event.cost,
        own_key=event.credential_source == OWN_KEY,
        is_correction=event.reverses_id is not None,
    )
