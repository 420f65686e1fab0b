from vault.providers.answers import (
    Verdict,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider


class Deepgram(Provider):
    """GET /v1/auth/token, the details of the key itself; errors by `err_code`, newer ones by `category`."""

    id = "deepgram"
    name = "Deepgram"
    kind = Kind.STT
    key_hint = "40 digits and letters"
    official_url = "https://api.deepgram.com"
    takes_base_url = True
    console_url = "https://console.deepgram.com"
    path = "/v1/auth/token"
    auth_scheme = "Token"

    def accepted(self, answer: object) -> Verdict | None:
        """Its fields are not documented: details of some kind, and no error."""
        if not isinstance(answer, dict) or answer.keys() & {"err_code", "category", "error"}:
            return None
        return valid() if any(isinstance(value, str | list) for value in answer.values()) else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        if not _code(answer):
            return None
        match status:
            case 401:
                return unknown_key(self.name)
            case 402:
                return quota_exhausted(self.name)
            case 403:
                return restricted("Deepgram knows the key, but it may not read its own details.")
            case 429:
                return rate_limited(self.name)
        return None


def _code(answer: object) -> str:
    return text_at(answer, "err_code") or text_at(answer, "category")
