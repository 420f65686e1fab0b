"""How staff write a feature's value."""

import pytest

from billing.plans.feature_values import BadFeatureValue, JsonValue, check_value, parse_value, show_value
from billing.plans.features import FEATURES


@pytest.mark.parametrize(
    ("feature", "text", "value"),
    [
        ("agents_limit", "20", 20),
        ("agents_limit", "1,000", 1000),
        ("agents_limit", " Unlimited ", None),
        ("spend_cap_per_user_day", "5", "5.00"),
        ("spend_cap_per_user_day", "unlimited", None),
        ("mcp_enabled", "Yes", True),
        ("mcp_enabled", "false", False),
        ("channels", "webhook, email", ["webhook", "email"]),
        ("denied_models", "", []),
        ("support", "Email", "Email"),
        ("log_retention_seconds", "86400", 86400),
    ],
)
def test_value_as_staff_write_it(feature: str, text: str, value: JsonValue) -> None:
    """P3: each kind has its own way of writing, and what is shown can be read again."""
    assert parse_value(feature, text) == value
    assert parse_value(feature, show_value(value)) == value


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        ("agents_limit", "-1"),
        ("agents_limit", "1.5"),
        ("agents_limit", ""),
        ("agents_limit", str(2**63)),
        ("agents_limit", "٣"),
        ("spend_cap_per_user_day", "-1"),
        ("spend_cap_per_user_day", "1.005"),
        ("spend_cap_per_user_day", "NaN"),
        ("spend_cap_per_user_day", "1E+20"),
        ("mcp_enabled", "perhaps"),
        ("mcp_enabled", "unlimited"),
        ("channels", "a,,b"),
        ("channels", "a, a"),
        ("denied_models", '["*"]'),
        ("denied_models", '"*"'),
        ("support", ""),
        ("no_such_feature", "1"),
    ],
)
def test_value_that_the_feature_cannot_have(feature: str, text: str) -> None:
    """P3: refused where it is written."""
    with pytest.raises(BadFeatureValue):
        parse_value(feature, text)


def test_no_feature_takes_a_float() -> None:
    """M11: no amount passes through a float."""
    for feature in FEATURES:
        with pytest.raises(BadFeatureValue):
            check_value(feature, 1.5)
