from vault.providers.answers import Verdict, found_at, quota_exhausted, valid
from vault.providers.base import Kind
from vault.providers.openai_style import OpenAIStyle


class DeepSeek(OpenAIStyle):
    """GET /user/balance, which also says whether there is money left."""

    id = "deepseek"
    name = "DeepSeek"
    kind = Kind.LLM
    key_hint = "sk-… (32 digits and letters)"
    key_pattern = r"sk-[0-9a-f]{32}"
    official_url = "https://api.deepseek.com"
    console_url = "https://platform.deepseek.com/api_keys"
    path = "/user/balance"

    def accepted(self, answer: object) -> Verdict | None:
        match found_at(answer, "is_available"):
            case True:
                return valid()
            case False:
                return quota_exhausted(self.name)
        return None
