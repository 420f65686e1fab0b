import re

from vault.crypto.secret import Secret
from vault.models import Health
from vault.providers.answers import Verdict, invalid, number_at, rate_limited, restricted, text_at, valid
from vault.providers.base import Kind, Provider

_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_SUSPENDED = Verdict(
    Health.QUOTA_EXHAUSTED, "Twilio has suspended the account, as it does when the account's credit is used up."
)


class Twilio(Provider):
    """GET /2010-04-01/Accounts/{sid}.json. The key is written as `account SID:auth token`; errors by `code`."""

    id = "twilio"
    name = "Twilio"
    kind = Kind.TELEPHONY
    key_hint = "AC…:auth token"
    key_pattern = r"AC[0-9a-f]{32}:[0-9a-f]{32}"
    official_url = "https://api.twilio.com"
    console_url = "https://console.twilio.com"
    path = "/2010-04-01/Accounts"
    auth_scheme = "Basic"

    def path_for(self, secret: Secret) -> str:
        account, _, _ = secret.reveal().partition(":")
        return f"{self.path}/{account}.json"

    def key_problem(self, text: str) -> str | None:
        account, _, token = text.partition(":")
        if not _ACCOUNT.fullmatch(account) or not token or ":" in token:
            return "A key of Twilio is the account SID and the auth token with a colon between them: AC…:token."
        return None

    def accepted(self, answer: object) -> Verdict | None:
        match text_at(answer, "status"):
            case "active":
                return valid()
            case "suspended":
                return _SUSPENDED
            case "closed":
                return invalid("The account at Twilio is closed.")
        return None

    def refused(self, status: int, answer: object) -> Verdict | None:
        match status, number_at(answer, "code"):
            case 401 | 404, 20003 | 20404:
                return invalid("Twilio does not know this account SID and auth token together.")
            case 401 | 403, 70051:
                return restricted("Twilio knows the key, but it may not read its account.")
            case 401 | 403, 10001 | 20403:
                return _SUSPENDED
            case 429, 20429:
                return rate_limited(self.name)
        return None
