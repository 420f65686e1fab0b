from vault.providers.answers import (
    Verdict,
    found_at,
    invalid,
    is_list_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider

_UNKNOWN = {"API_KEY_INVALID", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "CREDENTIALS_MISSING"}


class Google(Provider):
    """GET /v1beta/models with the key in a header, never in the address; errors by `details[].reason`."""

    id = "google"
    name = "Google Gemini"
    kind = Kind.LLM
    key_hint = "AIza… or AQ.…"
    key_pattern = r"AIza[A-Za-z0-9_-]{35}|AQ\.[A-Za-z0-9_-]{20,}"
    official_url = "https://generativelanguage.googleapis.com"
    console_url = "https://aistudio.google.com/apikey"
    path = "/v1beta/models?pageSize=1"
    auth_header = "x-goog-api-key"
    auth_scheme = ""

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "models") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        reasons = _reasons(answer)
        if reasons & _UNKNOWN or text_at(answer, "error", "status") == "UNAUTHENTICATED":
            return unknown_key(self.name)
        match status, text_at(answer, "error", "status"):
            case 403, "PERMISSION_DENIED":
                return _denied(reasons, text_at(answer, "error", "message"))
            case 429, "RESOURCE_EXHAUSTED":
                return quota_exhausted(self.name) if _is_daily(answer) else rate_limited(self.name)
        return None


def _reasons(answer: object) -> set[str]:
    details = found_at(answer, "error", "details")
    return {text_at(detail, "reason") for detail in details} if isinstance(details, list) else set()


def _denied(reasons: set[str], message: str) -> Verdict:
    if "CONSUMER_SUSPENDED" in reasons or "leaked" in message.lower():
        return invalid("Google has shut this key off.")
    if "BILLING_DISABLED" in reasons:
        return quota_exhausted(Google.name)
    if "SERVICE_DISABLED" in reasons:
        return restricted("Google knows the key, but the Gemini API is not switched on in its project.")
    return restricted("Google knows the key, but it may not be used for the Gemini API, or not from this address.")


def _is_daily(answer: object) -> bool:
    """Whether a limit of the day is used up, rather than one of the minute."""
    details = found_at(answer, "error", "details")
    violations = [found_at(detail, "violations") for detail in details] if isinstance(details, list) else []
    return any(
        "PerDay" in text_at(violation, "quotaId")
        for several in violations
        if isinstance(several, list)
        for violation in several
    )
