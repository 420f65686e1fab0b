from vault.providers.answers import (
    Verdict,
    found_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider


class ElevenLabs(Provider):
    """GET /v1/user; errors by `detail.code`, older ones by `detail.status`."""

    id = "elevenlabs"
    name = "ElevenLabs"
    kind = Kind.TTS
    key_hint = "sk_…"
    key_pattern = r"sk_[0-9a-f]{48}"
    official_url = "https://api.elevenlabs.io"
    takes_base_url = True
    console_url = "https://elevenlabs.io/app/settings/api-keys"
    path = "/v1/user"
    auth_header = "xi-api-key"
    auth_scheme = ""

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if isinstance(found_at(answer, "subscription"), dict) else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        """A key that may only make speech is answered with 401 too."""
        words = {text_at(answer, "detail", "code"), text_at(answer, "detail", "status")}
        if "missing_permissions" in words:
            return restricted("ElevenLabs knows the key, but it has only some permissions.")
        if "detected_unusual_activity" in words:
            return restricted("ElevenLabs knows the key, but has shut off its free plan.")
        if words & {"quota_exceeded", "insufficient_credits"}:
            return quota_exhausted(self.name)
        match status:
            case 401 if words & {"invalid_api_key", "needs_authorization"}:
                return unknown_key(self.name)
            case 402 if any(words):
                return quota_exhausted(self.name)
            case 429 if any(words):
                return rate_limited(self.name)
        return None
