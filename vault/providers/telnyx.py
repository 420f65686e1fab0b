from vault.providers.answers import (
    Verdict,
    is_list_at,
    number_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider


class Telnyx(Provider):
    """GET /v2/balance, which also says what may still be spent."""

    id = "telnyx"
    name = "Telnyx"
    kind = Kind.TELEPHONY
    key_hint = "KEY…_…"
    key_pattern = r"KEY[0-9A-F]{16,}_[A-Za-z0-9_-]{16,}"
    official_url = "https://api.telnyx.com"
    console_url = "https://portal.telnyx.com/#/api-keys"
    path = "/v2/balance"

    def accepted(self, answer: object) -> Verdict | None:
        if not text_at(answer, "data", "currency"):
            return None
        left = number_at(answer, "data", "available_credit")
        return quota_exhausted(self.name) if left is not None and left <= 0 else valid()

    def refused(self, status: int, answer: object) -> Verdict | None:
        if not is_list_at(answer, "errors"):
            return None
        match status:
            case 401:
                return unknown_key(self.name)
            case 403:
                return restricted("Telnyx knows the key, but it may not read the account's balance.")
            case 429:
                return rate_limited(self.name)
        return None
