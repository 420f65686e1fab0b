from vault.providers.answers import Verdict, invalid, is_list_at, quota_exhausted, text_at, valid
from vault.providers.base import Kind
from vault.providers.openai_style import OpenAIStyle


class Groq(OpenAIStyle):
    """GET /openai/v1/models."""

    id = "groq"
    name = "Groq"
    kind = Kind.LLM
    key_hint = "gsk_…"
    key_pattern = r"gsk_[A-Za-z0-9]{20,}"
    official_url = "https://api.groq.com"
    console_url = "https://console.groq.com/keys"
    path = "/openai/v1/models"

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "data") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        if text_at(answer, "error", "code") == "organization_restricted":
            return invalid("Groq has shut off the key's organisation.")
        if text_at(answer, "error", "code") == "blocked_api_access":
            return quota_exhausted(self.name)  # what it was allowed to spend is spent
        return super().refused(status, answer)
