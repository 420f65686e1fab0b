"""What an account's usage comes to and no document has listed yet, by period, product and who pays (I1, U6).

Documents list usage by difference: what a period comes to now, less what documents have listed of it. So usage that is
recorded late is on the next one, whatever the reason, and nothing is on two.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from billing.core.money import format_amount
from billing.invoices.models import InvoiceLine
from billing.usage.account_fundings import Fundings, fundings_of
from billing.usage.account_sums import AccountSum, account_sums, event_sums
from billing.usage.models import UsageEvent

CHARGED = frozenset({"credits", "invoice"})
"""Usage that somebody pays us for; what is included, or paid to a provider, is listed without a price."""
_FIGURES = ("requests", "input_tokens", "output_tokens", "cached_input_tokens")


class ChargeKey(NamedTuple):
    """What one line is about."""

    period_start: datetime
    product: str
    unit: str
    funding: str


class ModelKey(NamedTuple):
    """A part of model usage."""

    provider: str
    model: str
    credential_source: str


@dataclass
class Charge:
    """Figures of one line; `cost` in the account's currency, rated to nine decimals."""

    requests: int = 0
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    models: dict[ModelKey, dict[str, Any]] = field(default_factory=dict)

    def add(self, row: AccountSum) -> None:
        self.requests += row.requests
        self.quantity += row.quantity
        self.cost += row.cost
        if row.model:
            figures = {name: getattr(row, name) for name in _FIGURES} | {"cost": row.cost}
            self._add_model(ModelKey(row.provider, row.model, row.credential_source), figures, 1)

    def take_back(self, event: UsageEvent) -> None:
        """The event's figures, as if it had not been."""
        self._put(event, -1)

    def put_back(self, event: UsageEvent) -> None:
        """The event's figures, as if nobody had taken it back."""
        self._put(event, 1)

    def take_off(self, requests: int, quantity: Decimal, rated: Decimal) -> None:
        """Leave out what is listed."""
        self.requests -= requests
        self.quantity -= quantity
        self.cost -= rated

    def take_off_models(self, details: Iterable[Mapping[str, Any]]) -> None:
        for detail in details:
            figures = {name: int(detail[name]) for name in _FIGURES} | {"cost": Decimal(detail["cost"])}
            key = ModelKey(detail["provider"], detail["model"], detail["credential_source"])
            self._add_model(key, figures, -1)

    def details(self) -> list[dict[str, Any]]:
        """The models, costliest first, as they are kept with a line."""
        changed = {key: figures for key, figures in self.models.items() if any(figures.values())}
        ordered = sorted(changed.items(), key=lambda item: (-abs(item[1]["cost"]), item[0]))
        return [key._asdict() | figures | {"cost": format_amount(figures["cost"])} for key, figures in ordered]

    @property
    def is_nothing(self) -> bool:
        return not (self.requests or self.quantity or self.cost)

    def _put(self, event: UsageEvent, sign: int) -> None:
        requests = int(event.product == "llm")
        self.take_off(-sign * requests, -sign * event.quantity, -sign * event.cost)
        if event.model:
            figures = {name: getattr(event, name) for name in _FIGURES[1:]} | {"requests": requests, "cost": event.cost}
            self._add_model(ModelKey(event.provider, event.model, event.credential_source), figures, sign)

    def _add_model(self, key: ModelKey, figures: Mapping[str, Any], sign: int) -> None:
        known = self.models.setdefault(key, dict.fromkeys(_FIGURES, 0) | {"cost": Decimal(0)})
        for name, figure in figures.items():
            known[name] += sign * figure


def unlisted_charges(account_id: UUID, *, before: datetime) -> dict[ChargeKey, Charge]:
    """What the account's periods that began before an instant come to beyond what documents list, in order of time.

    A negative cost is usage that was taken back after it had been listed. Read it under the account's ledger lock,
    which everything that records usage takes. Two queries, more for usage of models that was listed in part.
    """
    fundings = fundings_of(account_id)
    charges = _sums(account_id, before, fundings)
    listed = _listed(account_id, before)
    for key, (requests, quantity, rated) in listed.items():
        charges.setdefault(key, Charge()).take_off(requests, quantity, rated)
    left = {key: charge for key, charge in sorted(charges.items()) if not charge.is_nothing}
    _take_off_models(account_id, left, set(left) & set(listed))
    return left


def _sums(account_id: UUID, before: datetime, fundings: Fundings) -> dict[ChargeKey, Charge]:
    charges: defaultdict[ChargeKey, Charge] = defaultdict(Charge)
    mixed: set[datetime] = set()
    for row in account_sums(account_id, before=before):
        funding = fundings.funding_of(row, row.period_start)
        if funding is None:  # several plans in one period: only the events themselves know
            mixed.add(row.period_start)
            continue
        charges[ChargeKey(row.period_start, row.product, row.unit, funding)].add(row)
    for start in mixed:
        for row, funding in event_sums(account_id, period_start=start):
            charges[ChargeKey(row.period_start, row.product, row.unit, funding)].add(row)
    return {**charges}


def _listed(account_id: UUID, before: datetime) -> dict[ChargeKey, tuple[int, Decimal, Decimal]]:
    lines = InvoiceLine.objects.filter(account_id=account_id, period_start__lt=before).exclude(product="").order_by()
    sums = lines.values_list("period_start", "product", "unit", "funding").annotate(
        Sum("requests"), Sum("quantity"), Sum("rated")
    )
    return {ChargeKey(*key): (int(requests), quantity, rated) for *key, requests, quantity, rated in sums}


def _take_off_models(account_id: UUID, charges: dict[ChargeKey, Charge], keys: Collection[ChargeKey]) -> None:
    starts = {key.period_start for key in keys if charges[key].models}
    if not starts:
        return
    lines = InvoiceLine.objects.filter(account_id=account_id, period_start__in=starts).exclude(product="")
    for start, product, unit, funding, details in lines.values_list(
        "period_start", "product", "unit", "funding", "details"
    ):
        key = ChargeKey(start, product, unit, funding)
        if key in charges:
            charges[key].take_off_models(details)


_OWED = """
    SELECT COALESCE(sum(amount) FILTER (WHERE created_at < %(before)s), 0),
           COALESCE(sum(amount) FILTER (WHERE created_at >= %(before)s), 0)
      FROM billing_credits_transfer WHERE debit_account_id = %(receivable)s AND idempotency_key LIKE 'owed:%%'
"""
_RECORDED_AFTER = """
    SELECT COALESCE(sum(cost), 0) FROM billing_usage_usageevent
     WHERE account_id = %(account)s AND period_start < %(before)s AND recorded_at >= %(before)s AND cost > 0
       AND funding = 'credits'
"""


def owed_for_credits(receivable_id: UUID, *, before: datetime) -> tuple[Decimal, Decimal]:
    """What usage that credits pay for lacked in credits until an instant since ever, and since then (M2); one query."""
    with connection.cursor() as cursor:
        cursor.execute(_OWED, {"receivable": receivable_id, "before": before})
        earlier, later = cursor.fetchone() or (Decimal(0), Decimal(0))
    return Decimal(earlier), Decimal(later)


def recorded_after(account_id: UUID, instant: datetime) -> Decimal:
    """What usage of periods before an instant comes to that was recorded after it, and that credits pay for."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORDED_AFTER, {"account": account_id, "before": instant})
        (cost,) = cursor.fetchone() or (Decimal(0),)
    return Decimal(cost)
