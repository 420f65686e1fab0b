"""Providers of speech, telephony and e-mail: how each wants its key and refuses it (K3)."""

from base64 import b64encode

import pytest

from sandbox.providers.process import ProvidersSandbox
from tests.sandbox.providers.conftest import Ask

HEADERS = {
    "deepgram": ("/v1/auth/token", {"Authorization": "Token {key}"}),
    "assemblyai": ("/v2/transcript", {"Authorization": "{key}"}),
    "elevenlabs": ("/v1/user", {"xi-api-key": "{key}"}),
    "cartesia": ("/voices", {"Authorization": "Bearer {key}", "Cartesia-Version": "2026-03-01"}),
    "telnyx": ("/v2/balance", {"Authorization": "Bearer {key}"}),
    "sendgrid": ("/v3/scopes", {"Authorization": "Bearer {key}"}),
    "resend": ("/domains", {"Authorization": "Bearer {key}", "User-Agent": "tests"}),
    "postmark": ("/server", {"X-Postmark-Server-Token": "{key}"}),
}
# What each one says of a key that it does not know, and of one that may not do everything.
UNKNOWN = {
    "deepgram": (401, "INVALID_AUTH"),
    "assemblyai": (401, "Authentication error"),
    "elevenlabs": (401, "invalid_api_key"),
    "cartesia": (401, "invalid_api_key"),
    "telnyx": (401, "10009"),
    "sendgrid": (401, "invalid, expired, or revoked"),
    "resend": (403, "invalid_api_key"),
    "postmark": (401, "10"),
}
RESTRICTED = {
    "deepgram": (403, "INSUFFICIENT_PERMISSIONS"),
    "assemblyai": (403, "error"),
    "elevenlabs": (401, "missing_permissions"),
    "cartesia": (403, "forbidden"),
    "telnyx": (403, "10010"),
    "sendgrid": (200, "stats.read"),
    "resend": (401, "restricted_api_key"),
    "postmark": (422, "412"),
}


def headers_of(provider: str, key: str) -> dict[str, str]:
    return {name: value.format(key=key) for name, value in HEADERS[provider][1].items()}


@pytest.mark.parametrize("provider", HEADERS)
def test_a_good_key_is_told_from_others(sandbox: ProvidersSandbox, ask: Ask, provider: str) -> None:
    check = f"/{provider}{HEADERS[provider][0]}"
    assert ask(check, headers_of(provider, sandbox.key(provider))).status == 200
    for key, expected in (("made-up", UNKNOWN), (sandbox.key(provider, "restricted"), RESTRICTED)):
        status, words = expected[provider]
        answer = ask(check, headers_of(provider, key))
        assert answer.status == status
        assert words in str(answer.body)


@pytest.mark.parametrize("provider", HEADERS)
def test_a_busy_one_says_when_to_come_back(sandbox: ProvidersSandbox, ask: Ask, provider: str) -> None:
    answer = ask(f"/{provider}{HEADERS[provider][0]}", headers_of(provider, sandbox.key(provider, "rate_limited")))
    assert (answer.status, answer.headers["retry-after"]) == (429, "20")


def test_twilio_wants_the_account_s_own_token(sandbox: ProvidersSandbox, ask: Ask) -> None:
    """Twilio, like Postmark, repeats the token where all is well."""
    key = sandbox.key("twilio")
    account, token = key.split(":")
    basic = {"Authorization": f"Basic {b64encode(key.encode()).decode()}"}
    own = ask(f"/twilio/2010-04-01/Accounts/{account}.json", basic)
    assert (own.status, own.body["status"], own.body["auth_token"]) == (200, "active", token)
    foreign = ask("/twilio/2010-04-01/Accounts/AC0.json", basic)
    assert (foreign.status, foreign.body["code"]) == (401, 20003)
    assert ask(f"/twilio/2010-04-01/Accounts/{account}.json", {"Authorization": "Basic %%%"}).status == 401


def test_two_want_a_header_besides_the_key(sandbox: ProvidersSandbox, ask: Ask) -> None:
    key = {"Authorization": f"Bearer {sandbox.key('cartesia')}"}
    assert ask("/cartesia/voices", key).body["error_code"] == "version_required"
    assert ask("/resend/domains", {"Authorization": f"Bearer {sandbox.key('resend')}"}).status == 403


def test_telnyx_answers_an_account_without_money(sandbox: ProvidersSandbox, ask: Ask) -> None:
    answer = ask("/telnyx/v2/balance", headers_of("telnyx", sandbox.key("telnyx", "quota_exhausted")))
    assert (answer.status, answer.body["data"]["available_credit"]) == (200, "0.00")
