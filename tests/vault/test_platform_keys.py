"""The platform's own keys: by weight, around those that rest."""

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.make import AT, make_tenant
from tests.vault.make import make_credential
from vault import platform_keys
from vault.errors import AllKeysRest
from vault.models import Credential
from vault.platform_keys import choose_platform_key, forget_platform_keys

pytestmark = pytest.mark.usefixtures("vault")
SECOND = timedelta(seconds=1)


def choose(provider: str = "openai") -> object:
    chosen = choose_platform_key(provider, at=AT)
    return chosen.id if chosen is not None else None


def test_spread_by_weight() -> None:
    """K12: each key as often as its weight says."""
    keys = [make_credential(None, weight=weight) for weight in (1, 2, 7)]
    make_credential(make_tenant(), weight=1000)
    draw = random.Random(7).randrange
    chosen = Counter(choose_platform_key("openai", at=AT, draw=draw) for _ in range(2000))
    shares = [chosen[key.id, 1] / 2000 for key in keys]
    assert shares == pytest.approx([0.1, 0.2, 0.7], abs=0.03)


def test_no_key_in_the_vault() -> None:
    """K12: the platform's runtime has its own; a revoked one is none."""
    make_credential(None, "groq")
    revoked = make_credential(None)
    Credential.objects.filter(id=revoked.id).update(health="revoked", revoked_at=AT)
    assert choose() is None


def test_around_those_that_rest() -> None:
    """K12: cooling, broken and disabled keys get no runs; one that has rested does again."""
    keys = [make_credential(None) for _ in range(5)]
    states: list[dict[str, object]] = [
        {"cools_until": AT + SECOND},
        {"health": "invalid"},
        {"disabled_at": AT},
        {"cools_until": AT},
        {"cools_until": AT + SECOND},
    ]
    for key, state in zip(keys, states, strict=True):
        Credential.objects.filter(id=key.id).update(**state)
    assert {choose() for _ in range(20)} == {keys[3].id}


def test_all_rest() -> None:
    """K12: until the first of them may work again."""
    keys = [make_credential(None) for _ in range(3)]
    states: list[dict[str, object]] = [
        {"cools_until": AT + 42.5 * SECOND},
        {"health": "quota_exhausted", "next_check_at": AT + 900 * SECOND},
        {"disabled_at": AT},
    ]
    for key, state in zip(keys, states, strict=True):
        Credential.objects.filter(id=key.id).update(**state)
    with pytest.raises(AllKeysRest) as refusal:
        choose()
    assert refusal.value.retry_after == 43
    Credential.objects.update(disabled_at=AT)
    forget_platform_keys()
    with pytest.raises(AllKeysRest):
        choose()


def test_memory_is_short(django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    """K12: one query for the runs of half a second, and what is read is passed over after it."""
    key = make_credential(None)
    with django_assert_num_queries(1):
        assert [choose() for _ in range(5)] == [key.id] * 5
    Credential.objects.filter(id=key.id).update(disabled_at=AT)
    assert choose() == key.id
    assert platform_keys._SECONDS <= 0.5
    later = time.monotonic() + 0.6
    monkeypatch.setattr("vault.platform_keys.time.monotonic", lambda: later)
    with pytest.raises(AllKeysRest):
        choose()
