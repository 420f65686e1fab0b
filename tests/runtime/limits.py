"""Bringing an account to its limits, and being refused there."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing.core.problems import Problem
from billing.subscriptions.models import SpendControls
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.set_spend_controls import set_spend_controls
from billing.usage.models import Counter
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer
from tests.money_make import start


def use_up(customer: Customer, feature: str, used: str, *, subject: str = "", since: datetime | None = None) -> None:
    """Set a counter by hand, as many runs would have left it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quaestor_count(%s, %s, %s, %s, %s, 0, NULL)",
            [customer.account.id, feature, subject, since or window(customer, feature, AT), Decimal(used)],
        )


def window(customer: Customer, feature: str, at: datetime) -> datetime:
    terms = terms_of(customer.account.id, at)
    return terms.period(at).start if feature == "overage" else terms.window(feature, at).start


def counted(customer: Customer, feature: str, *, subject: str = "") -> str:
    """Used and reserved, without trailing zeros."""
    row = Counter.objects.get(account_id=customer.account.id, feature=feature, subject=subject)
    return f"{row.used.normalize():f}+{row.reserved.normalize():f}"


def control(customer: Customer, *, at: datetime = AT, **changes: Any) -> SpendControls:
    """Set a customer's controls to these and nothing else; amounts are texts."""
    nothing = {"overage_ceiling": None, "daily_cap": None, "user_daily_cap": None, "low_balance_threshold": None}
    given = {name: Decimal(value) if isinstance(value, str) else value for name, value in changes.items()}
    values = {"overage_enabled": False, "burn_alerts": True, **nothing, **given}
    return set_spend_controls(account_id=customer.account.id, at=at, actor=SYSTEM, **values)


def refusal(customer: Customer, **changes: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        start(customer, **changes)
    return refused.value
