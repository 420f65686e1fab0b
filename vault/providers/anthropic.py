from vault.providers.answers import (
    Verdict,
    is_list_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    unreachable,
    valid,
)
from vault.providers.base import Kind, Provider


class Anthropic(Provider):
    """GET /v1/models; errors by `error.type`."""

    id = "anthropic"
    name = "Anthropic"
    kind = Kind.LLM
    key_hint = "sk-ant-api03-…"
    key_pattern = r"sk-ant-[A-Za-z0-9_-]{20,}"
    official_url = "https://api.anthropic.com"
    takes_base_url = True
    console_url = "https://console.anthropic.com/settings/keys"
    path = "/v1/models?limit=1"
    headers = {"anthropic-version": "2023-06-01"}
    auth_header = "x-api-key"
    auth_scheme = ""

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "data") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        match text_at(answer, "error", "type"):
            case "authentication_error":
                return unknown_key(self.name)
            case "permission_error":
                return restricted("Anthropic knows the key, but it may not list models.")
            case "billing_error":
                return quota_exhausted(self.name)
            case "rate_limit_error":
                return rate_limited(self.name)
            case "overloaded_error":
                return unreachable("Anthropic is overloaded just now.")
            case "invalid_request_error" if "credit balance" in text_at(answer, "error", "message"):
                return quota_exhausted(self.name)
        return None
