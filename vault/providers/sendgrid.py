from vault.providers.answers import (
    Verdict,
    found_at,
    is_list_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider


class SendGrid(Provider):
    """GET /v3/scopes, the permissions of the key itself; it has to hold `mail.send`."""

    id = "sendgrid"
    name = "SendGrid"
    kind = Kind.EMAIL
    key_hint = "SG.…"
    key_pattern = r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    official_url = "https://api.sendgrid.com"
    takes_base_url = True
    console_url = "https://app.sendgrid.com/settings/api_keys"
    path = "/v3/scopes"

    def accepted(self, answer: object) -> Verdict | None:
        scopes = found_at(answer, "scopes")
        if not isinstance(scopes, list):
            return None
        return valid() if "mail.send" in scopes else restricted("SendGrid knows the key, but it may not send mail.")

    def refused(self, status: int, answer: object) -> Verdict | None:
        if not is_list_at(answer, "errors"):
            return None
        match status:
            case 401 if "credits exceeded" in text_at(answer, "errors", 0, "message"):
                return quota_exhausted(self.name)
            case 401:
                return unknown_key(self.name)
            case 403:
                return restricted("SendGrid knows the key, but it may not read its own permissions.")
            case 429:
                return rate_limited(self.name)
        return None
