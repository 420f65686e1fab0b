from vault.providers.answers import Verdict, text_at, valid
from vault.providers.base import Kind
from vault.providers.openai_style import OpenAIStyle


class Together(OpenAIStyle):
    """GET /v1/models: all of the catalogue, as a bare list."""

    id = "together"
    name = "Together AI"
    kind = Kind.LLM
    key_hint = "tgp_v1_… or 64 digits and letters"
    key_pattern = r"tgp_v[0-9]_[A-Za-z0-9_-]{20,}"
    official_url = "https://api.together.xyz"
    console_url = "https://api.together.ai/settings/api-keys"
    path = "/v1/models"
    body_limit = 2 * 1024 * 1024

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if text_at(answer, 0, "id") else None
