from vault.providers.answers import Verdict, invalid, is_list_at, restricted, text_at, unreachable, valid
from vault.providers.base import Kind
from vault.providers.openai_style import OpenAIStyle

_CLOSED = {"account_deactivated", "invalid_organization", "mismatched_organization", "mismatched_project"}


class OpenAI(OpenAIStyle):
    """GET /v1/models. Also whatever else speaks this API at a base URL of the tenant's."""

    id = "openai"
    name = "OpenAI"
    kind = Kind.LLM
    key_hint = "sk-proj-…"
    key_pattern = r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"
    official_url = "https://api.openai.com"
    takes_base_url = True
    console_url = "https://platform.openai.com/api-keys"
    path = "/v1/models"
    body_limit = 1024 * 1024  # every model of the account, and of whatever else speaks this API

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "data") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        """A key without the scope of this call is answered with 401 or 403, and known by the message alone."""
        code = text_at(answer, "error", "code")
        if status in {401, 403} and _lacks_scope(code, text_at(answer, "error", "message")):
            return restricted("OpenAI knows the key, but it has only some of its owner's permissions.")
        if code == "ip_not_authorized":
            return restricted("OpenAI knows the key, but not from this address.")
        if code == "unsupported_country_region_territory":
            return unreachable("OpenAI does not answer calls from the country that this server is in.")
        if code in _CLOSED:
            return invalid("The key's organisation or project at OpenAI is closed or another one.")
        return super().refused(status, answer)


def _lacks_scope(code: str, message: str) -> bool:
    return code == "missing_scope" or "missing scope" in message.lower()
