"""What a tenant's programs are told of limits and balances (N1)."""

from datetime import datetime
from decimal import Decimal

from billing.core.ids import encode_id
from billing.core.money import write_amount
from billing.credits.queries import Balance
from billing.notifications.event_types import EventType
from billing.notifications.queries import written_time
from billing.notifications.services.publish_events import Fact, account_data
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import EXECUTIONS, TOKENS, Burn
from billing.usage.models import BurnAlert


def fact_of_burn(account: BillingAccount, terms: AccountTerms, burn: Burn, alert: BurnAlert) -> Fact:
    """A share of a limit is used: figures are counts, or exact amounts where there is a currency."""
    currency = None if burn.feature in {EXECUTIONS, TOKENS} else terms.currency
    return Fact(
        tenant_id=account.tenant_id,
        type=EventType.QUOTA_THRESHOLD_REACHED,
        object_id=encode_id("acc", account.id),
        key=f"quota-burn:{alert.id.hex}",
        data={
            "account": account_data(account),
            "feature": burn.feature,
            "threshold": alert.threshold,
            "used": _figure(burn.used, currency),
            "limit": _figure(burn.quota, currency),
            "currency": currency,
            "user": burn.subject or None,
            "period_start": written_time(burn.window.start),
            "period_end": written_time(burn.window.end),
        },
        occurred_at=alert.created_at,
    )


def fact_of_low_balance(account: BillingAccount, balance: Balance, at: datetime) -> Fact:
    """An account's credits are below the amount that it wants to be told at."""
    public_id = encode_id("acc", account.id)
    return Fact(
        tenant_id=account.tenant_id,
        type=EventType.BALANCE_LOW,
        object_id=public_id,
        key=f"low-balance:{account.id.hex}:{at:%Y%m%d%H%M%S%f}",
        data={
            "account": account_data(account),
            "currency": balance.currency,
            "balance": _figure(balance.posted, balance.currency),
            "held": _figure(balance.held, balance.currency),
            "threshold": _figure(account.low_balance_threshold, balance.currency),
        },
        occurred_at=at,
    )


def _figure(number: Decimal, currency: str | None) -> str:
    return f"{number:.0f}" if currency is None else write_amount(number, currency)
