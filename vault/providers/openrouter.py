from vault.providers.answers import Verdict, found_at, invalid, number_at, quota_exhausted, valid
from vault.providers.base import Kind
from vault.providers.openai_style import OpenAIStyle


class OpenRouter(OpenAIStyle):
    """GET /api/v1/key: its list of models is public and proves nothing."""

    id = "openrouter"
    name = "OpenRouter"
    kind = Kind.LLM
    key_hint = "sk-or-v1-…"
    key_pattern = r"sk-or-[A-Za-z0-9_-]{20,}"
    official_url = "https://openrouter.ai"
    console_url = "https://openrouter.ai/settings/keys"
    path = "/api/v1/key"

    def accepted(self, answer: object) -> Verdict | None:
        if not isinstance(found_at(answer, "data"), dict):
            return None
        if any(found_at(answer, "data", word) is True for word in ("is_management_key", "is_provisioning_key")):
            return invalid("This key of OpenRouter manages other keys; it runs no models.")
        left = number_at(answer, "data", "limit_remaining")
        return quota_exhausted(self.name) if left is not None and left <= 0 else valid()
