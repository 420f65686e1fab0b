from vault.providers.answers import Verdict, invalid, is_list_at, quota_exhausted, rate_limited, restricted, valid
from vault.providers.base import Kind, Provider


class Ollama(Provider):
    """GET /api/tags of a server of the tenant's.

    Ollama itself knows no keys, but a proxy before it may: the key is its bearer token, and `no-key` where
    there is none. A proxy's refusal has no form of its own, so that the status alone counts.
    """

    id = "ollama"
    name = "Ollama"
    kind = Kind.LLM
    key_hint = "a token, if a proxy asks for one"
    shortest_key = 4
    takes_base_url = needs_base_url = True
    needs_key = False
    console_url = "https://docs.ollama.com/faq"
    path = "/api/tags"
    body_limit = 1024 * 1024

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "models") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        match status:
            case 401:
                return invalid("The server at the base URL does not let this key in.")
            case 402:
                return quota_exhausted("the server at the base URL")
            case 403:
                return restricted("The server at the base URL does not let this key list its models.")
            case 429:
                return rate_limited("The server at the base URL")
        return None
