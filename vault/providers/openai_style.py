"""Errors as OpenAI writes them and many others after it: {"error": {"message", "type", "code"}}."""

from vault.providers.answers import (
    Verdict,
    found_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
)
from vault.providers.base import Provider

_SPENT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}


class OpenAIStyle(Provider):
    """A provider whose refusals are OpenAI's."""

    def refused(self, status: int, answer: object) -> Verdict | None:
        if found_at(answer, "error") is None:
            return None
        match status:
            case 401:
                return unknown_key(self.name)
            case 402:
                return quota_exhausted(self.name)
            case 403:
                return restricted(f"{self.name} knows the key, but does not let it do what the check asks for.")
            case 429:
                words = {text_at(answer, "error", "code"), text_at(answer, "error", "type")}
                return quota_exhausted(self.name) if words & _SPENT else rate_limited(self.name)
        return None
