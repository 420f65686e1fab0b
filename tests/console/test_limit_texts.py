"""What the console says of limits (P6, P8, M9)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.console.limit_texts import Share, figure, limit_name, percent_of, slowed_text, source_text
from billing.plans.features import FEATURES
from billing.subscriptions.terms import Limit

ENDS = datetime(2026, 4, 10, tzinfo=UTC)


def share(feature: str, used: int = 100, *, source: str = "plan:pro", price: str = "", overage: bool = False) -> Share:
    return Share(
        feature=feature,
        used=Decimal(used),
        quota=Decimal(100),
        percent=used,
        resets_at=ENDS,
        source=source,
        currency="USD",
        overage_price=Decimal(price) if price else None,
        has_overage=overage,
    )


@pytest.mark.parametrize(
    ("used", "quota", "percent"), [("79.999", "100", 79), ("100", "100", 100), ("0", "0", 100), ("7", "3", 233)]
)
def test_percent_is_rounded_down(used: str, quota: str, percent: int) -> None:
    """M9: nothing is used up before it is; of a limit of zero everything is."""
    assert percent_of(Decimal(used), Decimal(quota)) == percent


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        ("executions_per_month", "1,500"),
        ("spend_cap_per_day", "$1,500.00"),
        ("overage", "$1,500.00"),
        ("kb_storage_bytes_limit", "1.5\N{NO-BREAK SPACE}KB"),
        ("gone_from_the_registry", "1,500"),
    ],
)
def test_figures_are_written_by_what_they_are_of(feature: str, text: str) -> None:
    """F1: a feature that an old alert names may be gone."""
    assert figure(feature, Decimal(1500), "USD") == text
    assert limit_name(feature)


@pytest.mark.parametrize("feature", FEATURES)
def test_every_limit_at_its_end_says_what_happens_and_what_helps(feature: str) -> None:
    """P6: in a sentence, with a page to go to; below it nothing is refused."""
    assert share(feature).consequence
    assert share(feature).actions
    assert share(feature, 80).consequence == ""


@pytest.mark.parametrize(
    ("case", "actions"),
    [
        (share("executions_per_month"), ["See plans with more"]),
        (share("executions_per_month", price="0.01"), ["Pay for more executions", "See plans with more"]),
        (share("executions_per_month", price="0.01", overage=True), ["See what it may cost"]),
        (share("overage", overage=True), ["Raise the ceiling", "See plans with more"]),
        (share("spend_cap_per_day", source="cap"), ["Raise your cap"]),
        (share("concurrent_sessions_limit"), ["See who holds them", "See plans with more"]),
    ],
    ids=["plan", "sold", "overage", "ceiling", "cap", "sessions"],
)
def test_what_helps_is_what_set_the_limit(case: Share, actions: list[str]) -> None:
    """P6, P8: the remedy fits the source."""
    assert [action.text for action in case.actions] == actions


def test_paid_executions_have_a_price_instead_of_a_refusal() -> None:
    """P8: nothing waits for the window's end."""
    paid = share("executions_per_month", price="0.0125", overage=True)
    assert (paid.consequence, paid.waits) == ("Each execution past the limit costs $0.0125.", False)


def test_slowed_runs_are_told_from_the_soft_limit_on() -> None:
    """P7: and not before it."""
    soft = Limit(5000, "plan:pro", throttle_after=3000, throttle_per_minute=2)
    assert slowed_text(soft, Decimal(2999)) == slowed_text(Limit(5000, "plan:pro"), Decimal(5000)) == ""
    assert slowed_text(soft, Decimal(3000)) == "2 runs a minute may start, past 3,000."


def test_limits_say_who_set_them() -> None:
    """P6: in words, not in codes."""
    sources = ["plan:pro", "override", "cap"]
    assert [source_text("tokens_per_month", source) for source in sources] == ["Your plan", "Agreed with you", "You"]
