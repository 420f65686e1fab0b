from vault.providers.answers import (
    Verdict,
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


class Resend(Provider):
    """GET /domains; errors by `name`, whatever their status. Calls without a user agent are refused."""

    id = "resend"
    name = "Resend"
    kind = Kind.EMAIL
    key_hint = "re_…"
    key_pattern = r"re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{16,}"
    official_url = "https://api.resend.com"
    console_url = "https://resend.com/api-keys"
    path = "/domains"

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "data") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        match text_at(answer, "name"):
            case "restricted_api_key":
                return restricted("Resend knows the key; it may only send e-mail.")
            case "invalid_api_key" | "missing_api_key":
                return unknown_key(self.name)
            case "validation_error" if "api key is invalid" in text_at(answer, "message").lower():
                return unknown_key(self.name)
            case "suspended_api_key" | "inactive_api_key":
                return invalid("Resend has shut this key off.")
            case "daily_quota_exceeded" | "monthly_quota_exceeded":
                return quota_exhausted(self.name)
            case "rate_limit_exceeded":
                return rate_limited(self.name)
        return None
