"""What Stripe's failures mean to who waits for it."""

from time import monotonic

import pytest

from billing.core.problems import Problem
from billing.stripe_sync.client import MAYBE_CHARGED, NOTHING_CHARGED, ONLY_READ, asking_stripe, stripe_client
from sandbox.stripe.process import StripeSandbox


def asked(stripe: StripeSandbox, *, outcome: str = NOTHING_CHARGED, **fault: object) -> Problem:
    stripe.call("POST", "/_sandbox/faults", {"path": "^/v1/", "times": 2} | fault)
    with pytest.raises(Problem) as problem, asking_stripe(doing="open the page", outcome=outcome):
        stripe_client().v1.customers.list()
    return problem.value


@pytest.mark.parametrize(
    ("outcome", "detail"),
    [
        (NOTHING_CHARGED, "Stripe could not open the page just now. Nothing was charged."),
        (MAYBE_CHARGED, f"Stripe could not open the page just now. {MAYBE_CHARGED}"),
        (ONLY_READ, "Stripe could not open the page just now."),
    ],
)
def test_what_a_failure_may_have_done(stripe: StripeSandbox, outcome: str, detail: str) -> None:
    """S2: told by what was asked for."""
    problem = asked(stripe, outcome=outcome, kind="timeout")
    assert (problem.code, problem.detail, problem.retry_after) == ("stripe-unavailable", detail, 10)


@pytest.mark.parametrize("status", [401, 403])
def test_key_that_stripe_refuses(stripe: StripeSandbox, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """S6: it is for whoever runs the installation to act, who finds it among the errors."""
    problem = asked(stripe, kind="status", status=status)
    assert (problem.code, problem.status) == ("stripe-unavailable", 503)
    assert "key of this installation" in problem.detail
    assert "STRIPE_SECRET_KEY" in str(problem.remedy)
    assert [record.levelname for record in caplog.records if "stripe_refused" in str(record.msg)] == ["ERROR"]


def test_not_every_402_is_a_card(stripe: StripeSandbox) -> None:
    """S2: Stripe's own words are shown only where they are about the card."""
    problem = asked(stripe, kind="status", status=402)
    assert problem.code == "stripe-unavailable"
    assert "our end" not in problem.detail


def test_silence_is_reported_soon(stripe: StripeSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: two short tries where somebody waits, three in the background."""
    monkeypatch.setattr("billing.stripe_sync.client._SECONDS_WAITED_FOR", 1)
    began = monotonic()
    assert asked(stripe, kind="slow", seconds=1.5).code == "stripe-unavailable"
    assert monotonic() - began < 6
    stripe.call("POST", "/_sandbox/faults", {"path": "^/v1/", "kind": "timeout", "times": 2})
    assert stripe_client().v1.customers.list().data == []
