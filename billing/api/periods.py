"""Which billing period a request means: `current`, `previous`, or an instant inside of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.core.periods import Period, as_utc
from billing.usage.periods import period_at, periods_of

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


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
    """The account's period: for an instant the one that an event of it is recorded in, by the plan of then (U6).

    Before the first plan it is by that plan's dates. `previous` is what the console's list has after the present one,
    a plan's of some hours too. After its last plan an account can still read, by the dates of that plan. Raises
    NoActivePlan where the account never had one.
    """
    if period == "previous":
        present, *former = periods_of(account_id, at, most=2)
        if former:
            return former[0]
        period = present.start - _INSTANT
    instant = period if isinstance(period, datetime) else at
    return period_at(account_id=account_id, instant=instant, at=at)
