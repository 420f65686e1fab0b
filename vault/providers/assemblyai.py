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


class AssemblyAI(Provider):
    """GET /v2/transcript: the newest transcript, which is not looked at."""

    id = "assemblyai"
    name = "AssemblyAI"
    kind = Kind.STT
    key_hint = "32 digits and letters"
    official_url = "https://api.assemblyai.com"
    takes_base_url = True
    console_url = "https://www.assemblyai.com/dashboard/api-keys"
    path = "/v2/transcript?limit=1"
    auth_scheme = ""

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if is_list_at(answer, "transcripts") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        if not text_at(answer, "error"):
            return None
        match status:
            case 401:
                return unknown_key(self.name)
            case 402:
                return quota_exhausted(self.name)
            case 403:
                return restricted("AssemblyAI knows the key, but it may not list transcripts.")
            case 429:
                return rate_limited(self.name)
        return None
