"""S5: no history of actions, and no fate of the webhooks, leaves our state and Stripe's different."""

import os
from operator import add

import pytest
import stripe as sdk
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from sandbox.stripe.process import StripeSandbox
from tests.stripe_sync.actions import WEIGHTS, subscribe, use
from tests.stripe_sync.both_sides import assert_same
from tests.stripe_sync.history import Action, History, undone
from tests.stripe_sync.webhooks import hold_webhooks

# NO_DRIFT_EXAMPLES=500 plays other stories each time, and shortens one that fails; without it the same few are played.
EXAMPLES = int(os.environ.get("NO_DRIFT_EXAMPLES") or 0)
chances = st.integers(0, 2**20)
actions = st.sampled_from([action for action, weight in WEIGHTS.items() for _ in range(weight)])
openings = st.sampled_from([[], [(subscribe, 1)], [(subscribe, 2), (use, 1)]])
stories = st.builds(add, openings, st.lists(st.tuples(actions, chances), min_size=2, max_size=11))


@pytest.fixture
def shop(stripe_catalogue: StripeSandbox, monkeypatch: pytest.MonkeyPatch) -> StripeSandbox:
    """A marked Stripe with the catalogue that keeps its webhooks; a try after a lost answer comes at once."""
    hold_webhooks(stripe_catalogue)
    stripe_catalogue.call("POST", "/_sandbox/mark")
    monkeypatch.setattr(sdk.HTTPClient, "INITIAL_DELAY", 0.0)
    monkeypatch.setattr(sdk.HTTPClient, "MAX_DELAY", 0.0)
    return stripe_catalogue


@settings(
    max_examples=EXAMPLES or 20,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories, seed=chances, lost=st.sampled_from((0.1, 0.3, 1.0)))
def test_no_history_leaves_a_difference(
    shop: StripeSandbox, *, story: list[tuple[Action, int]], seed: int, lost: float
) -> None:
    """S4, S5: after one comparison plan, cards, credits and meters are what Stripe says, and all money is told."""
    with undone(shop):
        note(f"seed={seed}, lost={lost}")
        history = History(shop, seed=seed, lost=lost)
        for action, chance in story:
            note(f"{action.__name__} {chance}")
            history.act(action, chance)
        history.end()
        assert_same(history)
