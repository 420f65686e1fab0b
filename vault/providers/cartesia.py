from vault.providers.answers import (
    Verdict,
    is_list_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider


class Cartesia(Provider):
    """GET /voices. Errors are JSON since the API's version of March 2026: `error_code`, which may be null, `title`."""

    id = "cartesia"
    name = "Cartesia"
    kind = Kind.TTS
    key_hint = "sk_car_…"
    key_pattern = r"sk_car_[A-Za-z0-9_-]{16,}"
    official_url = "https://api.cartesia.ai"
    console_url = "https://play.cartesia.ai/keys"
    path = "/voices?limit=1"
    headers = {"Cartesia-Version": "2026-03-01"}

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "data") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        if not text_at(answer, "title"):
            return None
        match status:
            case 401:
                return unknown_key(self.name)
            case 402:
                return quota_exhausted(self.name)
            case 403:
                return restricted("Cartesia knows the key, but it may not list voices.")
            case 429 if text_at(answer, "error_code") == "quota_exceeded":
                return quota_exhausted(self.name)
            case 429:
                return rate_limited(self.name)
        return None
