"""What a plan includes, in words (F1, P3)."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from billing.console import feature_texts
from billing.plans.models import Entitlement, MeterPrice
from billing.plans.queries import ListedModel
from billing.pricing.tokens import TokenRates


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        ("agents_limit", 20, "20"),
        ("agents_limit", 0, "0"),
        ("agents_limit", None, "Unlimited"),
        ("kb_storage_bytes_limit", 1_610_612_736, "1.5\N{NO-BREAK SPACE}GB"),
        ("mcp_enabled", True, "Included"),
        ("mcp_enabled", False, "Not included"),
        ("channels", ["webhook", "email"], "webhook, email"),
        ("spend_cap_per_user_day", "1.00", "$1.00"),
        ("log_retention_seconds", 2_592_000, "30 days"),
        ("sla", "99.9% uptime", "99.9% uptime"),
        ("sla", None, ""),
    ],
)
def test_entitlement(feature: str, value: object, text: str) -> None:
    """P3: each kind of feature has its words; what says nothing is left out."""
    assert feature_texts.entitlement_text(Entitlement(feature=feature, value=value), "USD") == text


@pytest.mark.parametrize(
    ("patterns", "text"),
    [
        ([], ""),
        (["*nothing*"], ""),
        (["B-1"], ""),
        (["b-1"], "Beta 1"),
        (["a-*"], "Alpha 2, Alpha 1"),
        (["*"], "3 models, such as Alpha 2, Beta 1"),
    ],
)
def test_models_not_included(patterns: list[str], text: str) -> None:
    """P3: titles, not patterns; few are all named, many are counted."""
    models = [_model("a", "a-1", "Alpha 1"), _model("a", "a-2", "Alpha 2"), _model("b", "b-1", "Beta 1")]
    assert feature_texts.denied_models_text(patterns, models) == text


def _model(provider: str, name: str, title: str) -> ListedModel:
    return ListedModel(provider, name, title, "fast", None, TokenRates(Decimal(1), Decimal(1)), uuid4())


def test_soft_limit_of_a_seat() -> None:
    """P7: the throttle is part of the offer."""
    row = Entitlement(feature="executions_per_month", value=25_000, per_seat=True, throttle_after=15_000)
    assert feature_texts.entitlement_text(row, "USD") == "25,000 a seat, slowed from 15,000"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(hours=12), "12 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=365), "1 year"),
        (timedelta(days=400), "400 days"),
    ],
)
def test_duration(duration: timedelta, text: str) -> None:
    """P3: agent logs are kept for days or years."""
    assert feature_texts.duration_text(duration) == text


@pytest.mark.parametrize(
    ("included", "text"), [("0", "$0.00005 per second"), ("3600", "3,600 included, then $0.00005 per second")]
)
def test_meter(included: str, text: str) -> None:
    """P4: a unit's price is written to its last digit."""
    meter = MeterPrice(product="compute", unit="second", unit_price=Decimal("0.000050000"), included=Decimal(included))
    assert feature_texts.meter_text(meter, "USD") == text
