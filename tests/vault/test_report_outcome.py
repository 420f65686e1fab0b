"""What runs report of their keys."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.make import AT, make_customer, make_tenant
from tests.vault.make import fresh, make_credential
from vault.models import Credential, HealthChange
from vault.services.report_outcome import report_outcome

pytestmark = pytest.mark.usefixtures("vault")
SECOND = timedelta(seconds=1)
WORDS = {
    "rate_limited": ["rate_limit", "rate_limited", "rate-limited", "too-many-requests"],
    "invalid": [
        *("auth_failure", "auth_failed", "auth-failure", "invalid_key", "unauthorized"),
        *("invalid", "invalid-key", "authentication_error", "auth_error", "revoked"),
    ],
    "quota_exhausted": ["quota", "quota_exhausted", "quota_exceeded", "insufficient_quota", "quota-exhausted"],
    "restricted": ["restricted", "forbidden", "permission-denied"],
}


def report(key: Credential, outcome: str, *, number: int = 1, at: datetime = AT) -> Credential:
    report_outcome(credential_id=key.id, number=number, outcome=outcome, at=at)
    return fresh(key)


@pytest.mark.parametrize(("health", "word"), [(health, word) for health, words in WORDS.items() for word in words])
def test_own_key(health: str, word: str) -> None:
    """K9: its health is what the run found."""
    key = report(make_credential(make_tenant()), word)
    assert (key.health, key.failures) == (health, 1)
    change = HealthChange.objects.get()
    assert (change.after, change.source) == (health, "run")


def test_silence() -> None:
    """K9: three in a row break a key that worked; a key that is broken stays what it is, and why."""
    key = make_credential(make_tenant())
    assert [report(key, "unreachable").health for _ in range(3)] == ["valid", "valid", "unreachable"]
    broken = make_credential(make_tenant(), health="invalid")
    Credential.objects.filter(id=broken.id).update(failures=9, health_reason="It is refused.")
    said = report(broken, "unreachable")
    assert (said.health, said.health_reason) == ("invalid", "It is refused.")


def test_what_is_no_word_about_keys() -> None:
    """K9: changes nothing; nor does a report about another version, a revoked key, or none."""
    key = make_credential(make_tenant())
    for word in ("success", "error", "timeout", "", "RATE_LIMIT"):
        report(key, word)
    for number in (0, 2):
        report(key, "auth_failure", number=number)
    Credential.objects.filter(id=key.id).update(health="revoked", revoked_at=AT)
    report(key, "quota")
    report_outcome(credential_id=make_tenant().id, number=1, outcome="quota", at=AT)
    assert (fresh(key).failures, HealthChange.objects.count()) == (0, 0)


@pytest.mark.parametrize(("word", "rest"), [("rate_limit", 30), ("quota", 900), ("auth_failure", 60)])
def test_platform_key_rests(word: str, rest: int) -> None:
    """K12: its health stays; where the provider refused it a check is due at once."""
    key = make_credential(None)
    Credential.objects.filter(id=key.id).update(next_check_at=AT + 99 * SECOND)
    rested = report(key, word)
    assert (rested.health, rested.cools_until) == ("valid", AT + rest * SECOND)
    assert rested.next_check_at == (AT if word == "auth_failure" else AT + 99 * SECOND)
    assert not HealthChange.objects.exists()


def test_rest_doubles() -> None:
    """K12: for each failure after the last rest, an hour at most; reports of runs that began before are one failure."""
    key, at, rests = make_credential(None), AT, []
    for _ in range(8):
        for _ in range(3):
            rested = report(key, "auth_failure", at=at)
        assert rested.cools_until is not None
        rests.append((rested.cools_until - at) // SECOND)
        at = rested.cools_until
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_shorter_rest_does_not_end_a_longer_one() -> None:
    """K12: a rate limit after an exhausted quota."""
    key = make_credential(None)
    report(key, "quota")
    assert report(key, "rate_limit", at=AT + SECOND).cools_until == AT + 900 * SECOND


@pytest.mark.usefixtures("catalogue")
def test_accounts_version_moves_with_usability_alone() -> None:
    """K4: the first report makes decisions of before stale, the second of the same does not."""
    customer = make_customer()
    key = make_credential(customer.tenant)

    def version() -> int:
        customer.account.refresh_from_db()
        return customer.account.version

    raised: list[bool] = []
    steps: list[Callable[[], object]] = [lambda: report(key, "quota"), lambda: report(key, "quota")]
    for step in steps:
        before = version()
        step()
        raised.append(version() > before)
    assert raised == [True, False]
