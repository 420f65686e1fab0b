from vault.providers.answers import (
    Verdict,
    number_at,
    quota_exhausted,
    rate_limited,
    restricted,
    text_at,
    unknown_key,
    valid,
)
from vault.providers.base import Kind, Provider


class Postmark(Provider):
    """GET /server, with the token of a server rather than the account's; errors by `ErrorCode`.

    A good answer repeats the server's tokens in full.
    """

    id = "postmark"
    name = "Postmark"
    kind = Kind.EMAIL
    key_hint = "a server API token, in the form of a UUID"
    official_url = "https://api.postmarkapp.com"
    console_url = "https://account.postmarkapp.com/servers"
    path = "/server"
    auth_header = "X-Postmark-Server-Token"
    auth_scheme = ""

    def accepted(self, answer: object) -> Verdict | None:
        return valid() if number_at(answer, "ID") is not None and text_at(answer, "Name") else None

    def refused(self, status: int, answer: object) -> Verdict | None:
        match status, number_at(answer, "ErrorCode"):
            case 401 | 422, 10:
                return unknown_key(self.name)
            case 422, 405:
                return quota_exhausted(self.name)
            case 422, 412 | 413:
                return restricted("Postmark knows the token, but its account may not send mail yet, or no longer.")
            case 429, _:
                return rate_limited(self.name)
        return None
