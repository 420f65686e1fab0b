"""The overview: what can be spent, what the period came to, how much of the plan is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.console.limit_texts import SESSIONS, Share, figure, limit_name
from billing.console.pages.covered import covered_by_plan
from billing.console.pages.ledger import LedgerRow, ledger_slice
from billing.console.pages.limit_shares import near_limits, shares_of_standing
from billing.console.pages.present_plan import PaymentNotice, payment_notice
from billing.core.periods import Period
from billing.credits.queries import balance_of
from billing.invoices.queries import Document, documents_of
from billing.runtime.session_queries import count_live
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.allowances import Standing, standing_of
from billing.usage.queries import DayReading, daily_readings, meter_readings
from billing.usage.sums import Totals, daily_of, totals_of

RECENT = 8


@dataclass(frozen=True, slots=True)
class EntitlementRow:
    """How much of one allowance is used. `limit_text` is empty and `percent` None where it is unlimited."""

    label: str
    used_text: str
    limit_text: str
    percent: Decimal | None

    @property
    def unlimited(self) -> bool:
        return self.percent is None


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Amounts in `currency`; `period` in UTC. `near` are limits that are nearly used up, the fullest first.

    `covered` is the part of the cost that the plan includes, None where only the events know.
    """

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
    covered: Decimal | None
    daily: Sequence[DayReading]
    entitlements: Sequence[EntitlementRow]
    near: Sequence[Share]
    ledger: Sequence[LedgerRow]
    last_invoice: Document | None
    notice: PaymentNotice | None
    at: datetime


def overview_page(account: BillingAccount, at: datetime) -> OverviewPage:
    """Raises NoActivePlan."""
    terms = terms_of(account.id, at)
    period = terms.period(at)
    balance = balance_of(credits_id=account.credits_id, receivable_id=account.receivable_id, at=at)
    readings = meter_readings(account_id=account.id, period=period)
    days = daily_readings(account_id=account.id, period=period)
    standing, live = standing_of(terms, at), count_live(account.id, at)
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
        covered=covered_by_plan(account.id, readings, period.start),
        daily=daily_of(days, period, at),
        entitlements=_entitlements(terms, standing, live),
        near=near_limits(shares_of_standing(standing, live, terms, at)),
        ledger=ledger_slice(account, limit=RECENT).rows,
        last_invoice=next(iter(documents_of(account.id, limit=1)), None),
        notice=payment_notice(account.id, at),
        at=at,
    )


def _entitlements(terms: AccountTerms, standing: Standing, live: int) -> list[EntitlementRow]:
    """The counted features that the plan speaks of, `live` sessions and the day's money with them."""
    used = {code: Decimal(allowance.used) for code, allowance in standing.allowances.items()}
    used |= {code: spending.used for code, spending in standing.spend.items()} | {SESSIONS: Decimal(live)}
    return [_entitlement(code, terms, used[code]) for code in terms.limits if code in used]


def _entitlement(code: str, terms: AccountTerms, used: Decimal) -> EntitlementRow:
    limit = terms.limit(code).number
    return EntitlementRow(
        label=limit_name(code),
        used_text=figure(code, used, terms.currency),
        limit_text="" if limit is None else figure(code, limit, terms.currency),
        percent=None if limit is None else used * 100 / limit if limit else Decimal(100),
    )
