"""Fields of bodies: amounts, instants, and where to return to."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.serializers import Text
from billing.core.money import parse_amount
from billing.core.periods import as_utc

_PLAIN = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?$"}
_FARTHEST = 40  # digits before or after the point of a number that is still worth spelling out


@extend_schema_field({"oneOf": [_PLAIN, {"type": "number"}]})
class AmountField(serializers.Field[Decimal, Any, Any, Any]):
    """An amount as a string of a plain decimal, or as a JSON number; its digits are kept as they are, never a float."""

    default_error_messages = {
        "invalid": "An amount is a plain decimal such as “12.50”: at most twelve digits before the point and nine "
        "after it."
    }

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return parse_amount(_spelled_out(data))
        except ValueError:
            self.fail("invalid")


def _spelled_out(data: Any) -> str:
    """Raises ValueError for what is neither text nor a number, and for numbers far beyond any amount."""
    match data:
        case str():
            return data
        case Decimal() if max(abs(data.adjusted()), len(data.as_tuple().digits)) <= _FARTHEST:
            return f"{data:f}"
        case int() if not isinstance(data, bool):
            return str(data)
    raise ValueError("That is no amount.")


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field[datetime, Any, Any, Any]):
    """An RFC 3339 time with an offset, which becomes a UTC time."""

    default_error_messages = {"invalid": "A time has a date, a time and an offset, such as 2026-03-10T12:00:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return as_utc(datetime.fromisoformat(data))
        except (TypeError, ValueError):
            self.fail("invalid")


class ReturnUrl(Text):
    """Where a browser goes back to from a page of Stripe's; only origins that the installation allows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2000, **options)
