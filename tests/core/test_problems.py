"""Problem details: the body of a refusal and the list of codes (F3)."""

import pickle
import re

import pytest

from billing.core.problems import CODES, FieldError, Problem, limit_code, problem, quota_exceeded

STATUSES = {
    400: "invalid-json invalid-request invalid-cursor billing-return-url-not-allowed",
    401: "authentication-required invalid-api-key revoked-api-key",
    402: "insufficient-credits model-denied-by-plan no-model-available plan-without-byok spend-cap-exceeded "
    "no-active-plan",
    403: "insufficient-scope",
    404: "not-found model-not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "account-changed authorization-expired authorization-settled authorization-voided idempotency-conflict "
    "missing-provider-credential no-card no-stripe-customer",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "event-in-the-future unpriced-model unpriced-product",
    429: "rate-limited throttled",
    500: "internal-error",
    503: "service-unavailable stripe-not-configured",
}


@pytest.mark.parametrize(("status", "codes"), STATUSES.items())
def test_published_codes_keep_their_status(status: int, codes: str) -> None:
    """F3: clients branch on codes and statuses, so that a published one never changes."""
    assert {CODES[code].status for code in codes.split()} == {status}


def test_codes_are_kebab_and_titles_are_set() -> None:
    """F3: each code can stand in a URN and has a title."""
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) and kind.title for code, kind in CODES.items())


def test_the_body_without_options() -> None:
    """F3: the five members that every problem has, in the shape of RFC 9457."""
    assert problem("not-found", "No invoice inv_1.").as_dict() == {
        "type": "urn:quaestor:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "No invoice inv_1.",
        "code": "not-found",
    }


def test_the_body_with_every_option() -> None:
    """F3: the source of a limit, the remedy and the field errors are members; Retry-After is a header."""
    refusal = problem(
        "invalid-request",
        "Two fields are wrong.",
        limit_source="plan:free",
        remedy="Upgrade to Pro.",
        retry_after=7,
        errors=(FieldError("seats", "min", "At least 1."), FieldError("events.0.model", "required", "Missing.")),
    )
    optional = ("limit_source", "remedy", "errors")
    assert {key: refusal.as_dict()[key] for key in optional} == {
        "limit_source": "plan:free",
        "remedy": "Upgrade to Pro.",
        "errors": [
            {"field": "seats", "code": "min", "detail": "At least 1."},
            {"field": "events.0.model", "code": "required", "detail": "Missing."},
        ],
    }
    assert refusal.retry_after == 7
    assert "retry_after" not in refusal.as_dict()


def test_an_unlisted_code_is_a_key_error() -> None:
    """F3: a code is listed before it is used."""
    with pytest.raises(KeyError):
        problem("no-such-code", "")


def test_codes_cannot_be_changed_at_run_time() -> None:
    """F3: the list is read-only."""
    assert not hasattr(CODES, "__setitem__")


def test_an_exceeded_quota() -> None:
    """P6: the refusal of a quota names the limit in its code, what set it, and what lifts it."""
    refusal = quota_exceeded("agents-limit", detail="20 of 20.", limit_source="plan:pro", remedy="Upgrade to Team.")
    assert refusal.as_dict() == {
        "type": "urn:quaestor:problem:quota-exceeded-agents-limit",
        "title": "Quota exceeded",
        "status": 402,
        "detail": "20 of 20.",
        "code": "quota-exceeded-agents-limit",
        "limit_source": "plan:pro",
        "remedy": "Upgrade to Team.",
    }


@pytest.mark.parametrize("name", ["", "Agents", "agents_limit", "-agents", "agents-", "a--b", "agents limit", "a\n"])
def test_the_name_of_a_quota_is_lower_kebab(name: str) -> None:
    """P6: a name that cannot stand in a code is refused where it is made."""
    with pytest.raises(ValueError, match="lower-kebab"):
        limit_code(name)


def test_a_problem_survives_a_worker_boundary() -> None:
    """F3: a problem can be pickled whole, and reads well in a log."""
    refusal = problem("throttled", "Slow down.", retry_after=3, errors=(FieldError("a", "b", "c"),))
    copy = pickle.loads(pickle.dumps(refusal))
    assert isinstance(copy, Problem)
    assert vars(copy) == vars(refusal)
    assert str(copy) == "throttled: Slow down."
