"""What providers' answers mean (K2, K9). Bodies as their documentation and SDKs write them, in our words."""

import json

import pytest

from vault.models import Health
from vault.providers import PROVIDERS

ERROR = {"error": {"message": "No.", "type": "invalid_request_error", "code": "invalid_api_key"}}


def of(provider: str, status: int, answer: object) -> Health:
    return PROVIDERS[provider].verdict(status, json.dumps(answer).encode()).health


@pytest.mark.parametrize(
    ("status", "answer", "health"),
    [
        (200, {"object": "list", "data": []}, Health.VALID),
        (401, ERROR, Health.INVALID),
        (401, {"error": "Unauthorized"}, Health.INVALID),  # other servers with this API
        (401, {"error": {"message": "You lack permissions. Missing scopes: api.model.read."}}, Health.RESTRICTED),
        (403, {"error": {"message": "You lack permissions. Missing scopes: api.model.read."}}, Health.RESTRICTED),
        (403, {"error": {"code": "missing_scope"}}, Health.RESTRICTED),
        (401, {"error": {"code": "ip_not_authorized"}}, Health.RESTRICTED),
        (401, {"error": {"code": "account_deactivated"}}, Health.INVALID),
        (403, {"error": {"code": "unsupported_country_region_territory"}}, Health.UNREACHABLE),
        (429, {"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}, Health.QUOTA_EXHAUSTED),
        (429, {"error": {"code": "billing_not_active"}}, Health.QUOTA_EXHAUSTED),
        (429, {"error": {"code": "rate_limit_exceeded", "type": "requests"}}, Health.RATE_LIMITED),
        (404, {"error": {"message": "Not here."}}, Health.UNREACHABLE),
    ],
)
def test_openai(status: int, answer: object, health: Health) -> None:
    """A key that lacks the scope of the check is known to OpenAI (K9)."""
    assert of("openai", status, answer) == health


@pytest.mark.parametrize(
    ("status", "kind", "message", "health"),
    [
        (401, "authentication_error", "", Health.INVALID),
        (403, "permission_error", "", Health.RESTRICTED),
        (402, "billing_error", "", Health.QUOTA_EXHAUSTED),
        (400, "invalid_request_error", "Your credit balance is too low.", Health.QUOTA_EXHAUSTED),
        (400, "invalid_request_error", "No such field.", Health.UNREACHABLE),
        (429, "rate_limit_error", "", Health.RATE_LIMITED),
        (529, "overloaded_error", "", Health.UNREACHABLE),
        (500, "api_error", "", Health.UNREACHABLE),
    ],
)
def test_anthropic(status: int, kind: str, message: str, health: Health) -> None:
    """By the type of the error (K9)."""
    assert of("anthropic", status, {"type": "error", "error": {"type": kind, "message": message}}) == health


def google_error(code: int, status: str, *details: object, message: str = "") -> dict[str, object]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


@pytest.mark.parametrize(
    ("status", "answer", "health"),
    [
        (200, {"models": [{"name": "models/a"}]}, Health.VALID),
        (400, google_error(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}), Health.INVALID),
        (400, google_error(400, "INVALID_ARGUMENT"), Health.UNREACHABLE),
        (401, google_error(401, "UNAUTHENTICATED", {"reason": "ACCESS_TOKEN_TYPE_UNSUPPORTED"}), Health.INVALID),
        (403, google_error(403, "PERMISSION_DENIED"), Health.RESTRICTED),
        (403, google_error(403, "PERMISSION_DENIED", {"reason": "SERVICE_DISABLED"}), Health.RESTRICTED),
        (403, google_error(403, "PERMISSION_DENIED", {"reason": "BILLING_DISABLED"}), Health.QUOTA_EXHAUSTED),
        (403, google_error(403, "PERMISSION_DENIED", {"reason": "CONSUMER_SUSPENDED"}), Health.INVALID),
        (403, google_error(403, "PERMISSION_DENIED", message="The key was reported as leaked."), Health.INVALID),
        (429, google_error(429, "RESOURCE_EXHAUSTED"), Health.RATE_LIMITED),
        (
            429,
            google_error(429, "RESOURCE_EXHAUSTED", {"violations": [{"quotaId": "GenerateRequestsPerDayPerModel"}]}),
            Health.QUOTA_EXHAUSTED,
        ),
    ],
)
def test_google(status: int, answer: object, health: Health) -> None:
    """A bad key is a bad request there (K9)."""
    assert of("google", status, answer) == health


@pytest.mark.parametrize(
    ("provider", "status", "answer", "health"),
    [
        ("groq", 400, {"error": {"code": "organization_restricted"}}, Health.INVALID),
        ("deepseek", 200, {"is_available": True, "balance_infos": []}, Health.VALID),
        ("deepseek", 200, {"is_available": False, "balance_infos": []}, Health.QUOTA_EXHAUSTED),
        ("deepseek", 402, {"error": {"message": "Nothing left."}}, Health.QUOTA_EXHAUSTED),
        ("openrouter", 200, {"data": {"label": "a", "limit_remaining": None}}, Health.VALID),
        ("openrouter", 200, {"data": {"label": "a", "limit_remaining": 0.01}}, Health.VALID),
        ("openrouter", 200, {"data": {"label": "a", "limit_remaining": 0}}, Health.QUOTA_EXHAUSTED),
        ("openrouter", 200, {"data": {"label": "a", "limit_remaining": -0.5}}, Health.QUOTA_EXHAUSTED),
        ("openrouter", 200, {"data": {"label": "a", "is_management_key": True}}, Health.INVALID),
        ("openrouter", 200, {"data": {"label": "a", "is_provisioning_key": True}}, Health.INVALID),
        ("together", 200, [{"id": "a/b"}], Health.VALID),
        ("together", 200, [], Health.UNREACHABLE),
        ("ollama", 200, {"models": []}, Health.VALID),
        ("ollama", 401, "a proxy's page", Health.INVALID),
        ("ollama", 403, "a proxy's page", Health.RESTRICTED),
        ("ollama", 429, None, Health.RATE_LIMITED),
        ("ollama", 404, "404 page not found", Health.UNREACHABLE),
        ("deepgram", 200, {"api_key_id": "a", "scopes": ["usage:write"]}, Health.VALID),
        ("deepgram", 401, {"category": "UNAUTHORIZED", "message": "No."}, Health.INVALID),
        ("assemblyai", 200, {"page_details": {}, "transcripts": []}, Health.VALID),
        ("elevenlabs", 200, {"user_id": "a", "subscription": {"tier": "free"}}, Health.VALID),
        ("elevenlabs", 401, {"detail": {"status": "missing_permissions"}}, Health.RESTRICTED),
        (
            "elevenlabs",
            401,
            {"detail": {"type": "authorization_error", "code": "missing_permissions"}},
            Health.RESTRICTED,
        ),
        ("elevenlabs", 401, {"detail": {"status": "invalid_api_key"}}, Health.INVALID),
        ("elevenlabs", 401, {"detail": {"status": "quota_exceeded"}}, Health.QUOTA_EXHAUSTED),
        ("elevenlabs", 429, {"detail": {"status": "too_many_concurrent_requests"}}, Health.RATE_LIMITED),
        ("cartesia", 401, {"error_code": None, "title": "Unauthorized", "message": "No."}, Health.INVALID),
        ("cartesia", 429, {"error_code": "quota_exceeded", "title": "No."}, Health.QUOTA_EXHAUSTED),
        ("twilio", 200, {"sid": "AC0", "status": "active"}, Health.VALID),
        ("twilio", 200, {"sid": "AC0", "status": "suspended"}, Health.QUOTA_EXHAUSTED),
        ("twilio", 200, {"sid": "AC0", "status": "closed"}, Health.INVALID),
        ("twilio", 401, {"code": 20003, "status": 401}, Health.INVALID),
        ("twilio", 401, {"code": 70051, "status": 401}, Health.RESTRICTED),
        ("twilio", 403, {"code": 20403, "status": 403}, Health.QUOTA_EXHAUSTED),
        ("telnyx", 200, {"data": {"available_credit": "0.01", "currency": "USD"}}, Health.VALID),
        ("telnyx", 200, {"data": {"available_credit": "0.00", "currency": "USD"}}, Health.QUOTA_EXHAUSTED),
        ("telnyx", 200, {"data": {"available_credit": "plenty", "currency": "USD"}}, Health.VALID),
        ("sendgrid", 200, {"scopes": ["mail.send", "user.read"]}, Health.VALID),
        ("sendgrid", 200, {"scopes": ["user.read"]}, Health.RESTRICTED),
        ("sendgrid", 401, {"errors": [{"message": "Maximum credits exceeded"}]}, Health.QUOTA_EXHAUSTED),
        ("sendgrid", 401, {"errors": [{"message": "Invalid grant."}]}, Health.INVALID),
        ("resend", 200, {"object": "list", "data": []}, Health.VALID),
        ("resend", 401, {"name": "restricted_api_key"}, Health.RESTRICTED),
        ("resend", 403, {"name": "invalid_api_key"}, Health.INVALID),
        ("resend", 400, {"name": "validation_error", "message": "API key is invalid"}, Health.INVALID),
        ("resend", 429, {"name": "daily_quota_exceeded"}, Health.QUOTA_EXHAUSTED),
        ("resend", 429, {"name": "rate_limit_exceeded"}, Health.RATE_LIMITED),
        ("postmark", 200, {"ID": 1, "Name": "A", "ApiTokens": ["b"]}, Health.VALID),
        ("postmark", 401, {"ErrorCode": 10, "Message": "No."}, Health.INVALID),
        ("postmark", 422, {"ErrorCode": 405, "Message": "No."}, Health.QUOTA_EXHAUSTED),
        ("postmark", 422, {"ErrorCode": 412, "Message": "No."}, Health.RESTRICTED),
    ],
)
def test_each_by_its_own_codes(provider: str, status: int, answer: object, health: Health) -> None:
    """What is special about a provider; the rest is asked of its stand-in (K9)."""
    assert of(provider, status, answer) == health


STRANGE = [
    *[b"", b"<html>Welcome</html>", b"null", b"true", b"1", b'"text"', b"{}", b"[]", b"[null]", b'{"error": null}'],
    *[b'{"data": 1, "models": {}, "error": [], "errors": "x", "detail": ["x"], "scopes": {}}', b"\xff\xfe", b"{"],
    *[b"[" * 60_000, b'{"a":' * 10_000, b"9" * 60_000, b'{"ID": Infinity}'],
]


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_what_is_not_understood_is_no_verdict_on_the_key(provider: str) -> None:
    """Above all not `valid`: a portal's page with 200 says nothing of a key (K2)."""
    for body in STRANGE:
        for status in (200, 204, 400, 404, 418, 500, 502, 503, 529):
            verdict = PROVIDERS[provider].verdict(status, body)
            assert verdict.health == Health.UNREACHABLE, (status, body[:40])
            assert len(verdict.reason) <= 200
