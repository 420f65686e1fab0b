"""The overview: what can be spent, what the period came to, how much of the plan is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.console.pages.ledger import LedgerRow, ledger_slice
from billing.console.pages.present_plan import PaymentNotice, payment_notice
from billing.core.periods import Period
from billing.credits.queries import balance_of
from billing.plans.features import FEATURES
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.allowances import allowances_of
from billing.usage.queries import DayReading, daily_readings, meter_readings
from billing.usage.sums import Totals, daily_of, totals_of

RECENT = 8


@dataclass(frozen=True, slots=True)
class EntitlementRow:
    """How much of one allowance is used. `percent` is None where it is unlimited."""

    label: str
    used: int
    limit: int | None
    percent: Decimal | None
    unit: str

    @property
    def unlimited(self) -> bool:
        return self.limit is None


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Amounts in `currency`; `period` in UTC."""

    plan_name: str
    plan_slug: str
    period: Period
    currency: str
    available: Decimal
    held: Decimal
    balance: Decimal
    low_balance_threshold: Decimal
    is_low: bool
    totals: Totals
    daily: Sequence[DayReading]
    entitlements: Sequence[EntitlementRow]
    ledger: Sequence[LedgerRow]
    notice: PaymentNotice | None
    at: datetime


def overview_page(account: BillingAccount, at: datetime) -> OverviewPage:
    """Raises NoActivePlan."""
    terms = terms_of(account.id, at)
    period = terms.period(at)
    balance = balance_of(credits_id=account.credits_id, receivable_id=account.receivable_id, at=at)
    readings = meter_readings(account_id=account.id, period=period)
    days = daily_readings(account_id=account.id, period=period)
    return OverviewPage(
        plan_name=terms.plan_name,
        plan_slug=terms.plan_slug,
        period=period,
        currency=account.currency,
        available=balance.available,
        held=balance.held,
        balance=balance.posted,
        low_balance_threshold=account.low_balance_threshold,
        # Only where runs are paid from credits does an empty balance stop anything.
        is_low=terms.usage_funding == "credits" and balance.available <= account.low_balance_threshold,
        totals=totals_of(readings),
        daily=daily_of(days, period, at),
        entitlements=_entitlements(terms, at),
        ledger=ledger_slice(account, limit=RECENT).rows,
        notice=payment_notice(account.id, at),
        at=at,
    )


def _entitlements(terms: AccountTerms, at: datetime) -> list[EntitlementRow]:
    """The counted features that the plan speaks of."""
    allowances = allowances_of(terms, at)
    return [_entitlement(code, terms, allowances[code].used) for code in terms.limits if code in allowances]


def _entitlement(code: str, terms: AccountTerms, used: int) -> EntitlementRow:
    feature, limit = FEATURES[code], terms.limit(code).number
    unit = "bytes" if feature.unit == "byte" else feature.unit
    return EntitlementRow(feature.name, used, None if limit is None else int(limit), _percent(used, limit), unit)


def _percent(used: int, limit: Decimal | None) -> Decimal | None:
    """Of a limit of zero everything is used."""
    if limit is None:
        return None
    return used * 100 / limit if limit else Decimal(100)
