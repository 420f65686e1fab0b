"""Which periods there are to choose from, and what addresses call them (P5)."""

from datetime import datetime

from billing.console.pages.usage_choice import period_options
from billing.core.periods import Period


def period(start: str, end: str) -> Period:
    return Period(datetime.fromisoformat(f"{start}+00:00"), datetime.fromisoformat(f"{end}+00:00"))


def test_year_is_told_twice_where_it_changes() -> None:
    """F1: days are those of the tenant's zone."""
    periods = [period("2026-01-01T00:00", "2026-02-01T00:00"), period("2025-12-01T00:00", "2026-01-01T00:00")]
    assert [option.label for option in period_options(periods, "UTC")] == [
        "1 Jan to 1 Feb 2026",
        "1 Dec 2025 to 1 Jan 2026",
    ]
    assert period_options(periods, "America/New_York")[0].label == "31 Dec 2025 to 31 Jan 2026"


def test_two_of_the_same_days_tell_their_hour() -> None:
    """P5: a change of plan within a day begins a second period on it."""
    periods = [
        period("2026-03-10T09:30:00.000005", "2026-04-10T09:30"),
        period("2026-03-10T00:00", "2026-04-10T00:00"),
    ]
    options = period_options(periods, "Europe/Berlin")
    assert [option.label for option in options] == [
        "10 Mar to 10 Apr 2026, from 10:30",
        "10 Mar to 10 Apr 2026, from 01:00",
    ]
    assert [option.key for option in options] == ["2026-03-10T09:30:00.000005Z", "2026-03-10"]
    assert [option.is_current for option in options] == [True, False]
