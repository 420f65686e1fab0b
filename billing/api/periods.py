"""Which billing period a request means: `current`, `previous`, or an instant inside of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.core.periods import Period, as_utc, period_containing
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import subscription_at

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@extend_schema_field(OpenApiTypes.STR)
class PeriodField(serializers.Field[Any, Any, Any, Any]):
    """`current`, `previous`, or an RFC 3339 time with an offset, which becomes a UTC time."""

    default_error_messages = {
        "invalid": "A period is “current”, “previous”, or a time such as 2026-03-10T12:00:00Z in the years 2000 to "
        "2099 (a plus sign in an address is written %2B)."
    }

    def to_internal_value(self, data: Any) -> str | datetime:
        if data in {"current", "previous"}:
            return str(data)
        try:
            instant = as_utc(datetime.fromisoformat(data))
        except ValueError:
            self.fail("invalid")
        if not _EARLIEST <= instant < _LATEST:
            self.fail("invalid")
        return instant


def period_meant(account_id: UUID, period: str | datetime, at: datetime) -> Period:
    """The account's period, by the subscription that it had then; before the first one, by the present dates.

    Raises NoActivePlan where the account has no plan now.
    """
    present = subscription_at(account_id, at)
    current = _period_of(present, at)
    if period == "current":
        return current
    instant = current.start - timedelta(microseconds=1) if isinstance(period, str) else period
    if current.contains(instant):
        return current
    try:
        return _period_of(subscription_at(account_id, instant), instant)
    except NoActivePlan:
        return period_containing(present.anchor, instant)


def _period_of(subscription: Subscription, at: datetime) -> Period:
    """A subscription's period at an instant; its last one ends with it."""
    period = period_containing(subscription.anchor, at)
    if subscription.ends_at is not None and subscription.ends_at < period.end:
        return Period(period.start, subscription.ends_at)
    return period
