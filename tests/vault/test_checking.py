"""Keys are checked before they are kept (K2, K9)."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_django import Settings

from sandbox.providers.process import ProvidersSandbox
from tests.vault.outbound.servers import Server, allow, answering, serving
from tests.vault.outbound.test_addresses import resolving
from vault.checking import check_key, tidy_key
from vault.crypto.secret import Secret
from vault.errors import UnknownProvider
from vault.models import Health
from vault.providers import NO_KEY, PROVIDERS, Verdict
from vault.providers.answers import valid

pytestmark = pytest.mark.django_db
SERVED = sorted(provider.id for provider in PROVIDERS.values() if not provider.needs_base_url)
STATES = ["valid", "restricted", "rate_limited", "quota_exhausted", "invalid", "unreachable"]
KEY = "canary-7f3a9c51e2d84b06aa55"


def check(provider: str, text: str, base_url: str = "") -> Verdict:
    return check_key(provider=provider, plain=Secret(text), base_url=base_url)


def at_server(server: Server, text: str = KEY, provider: str = "openai") -> Verdict:
    """Checked at a server of the tenant's that staff allow."""
    allow("127.0.0.1", server.port)
    return check(provider, text, server.url)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("provider", SERVED)
def test_a_keys_state_is_its_verdict(providers: ProvidersSandbox, provider: str, state: str) -> None:
    """Whatever each provider answers, in its own way (K2, K9)."""
    verdict = check(provider, providers.key(provider, state))
    assert verdict.health == Health(state)
    assert (verdict.retry_after is not None) == (state == "rate_limited")
    assert (verdict.reason == "") == (state == "valid")


def test_ollama_is_asked_at_the_tenants_own_server(providers: ProvidersSandbox) -> None:
    """With the token of a proxy before it, or without any (K3)."""
    allow("127.0.0.1", providers.port)
    base_url = f"{providers.url}/ollama"
    assert check("ollama", providers.key("ollama"), base_url) == valid()
    assert check("ollama", providers.key("ollama", "invalid"), base_url).health == Health.INVALID
    with serving(answering(200, '{"models": []}')) as server:
        assert at_server(server, NO_KEY, "ollama") == valid()
    assert "authorization" not in server.asked[0].lower()


def test_provider_error_echoes_the_key(
    providers: ProvidersSandbox, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of a provider's text leaves: not in the verdict, not in a log of any level (K2)."""
    caplog.set_level(logging.DEBUG)
    for provider in SERVED:
        text = providers.key(provider, "echo")
        verdict = check(provider, text)
        assert verdict.health == Health.INVALID
        printed = "".join(capsys.readouterr())
        for part in text.split(":"):
            assert part not in f"{verdict!r}{caplog.text}{printed}", provider


def test_a_servers_headers_and_pages_are_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    """Also where the answer is not understood (K2)."""
    caplog.set_level(logging.DEBUG)
    with serving(answering(418, f"<p>{KEY}</p>", X_Your_Key=KEY)) as server:
        verdict = at_server(server)
    assert verdict == Verdict(Health.UNREACHABLE, "OpenAI answered in a way that is not understood.")
    assert KEY not in caplog.text


@pytest.mark.parametrize("body", ["", "<html>Log in to the guest network</html>", "{}", "[]", "null"])
def test_success_that_is_not_the_providers_is_not_valid(body: str) -> None:
    """A portal answers 200 to everything (K2)."""
    with serving(answering(200, body)) as server:
        assert at_server(server).health == Health.UNREACHABLE


@pytest.mark.parametrize(
    "text",
    ["short", "two words of text", "a\nb" * 5, "k\u00e9y-" * 4, "\u200bkey-key-key", "x" * 513, "key\x00key-key", ""],
)
def test_what_is_no_key_is_sent_nowhere(providers: ProvidersSandbox, text: str) -> None:
    """One word of visible ASCII, of a length that keys have (K2)."""
    for provider in SERVED:
        verdict = check(provider, text)
        assert verdict.health == Health.INVALID
        assert text not in verdict.reason or not text
    assert providers.calls() == []


def test_another_providers_key_is_sent_to_neither(providers: ProvidersSandbox) -> None:
    """What can only be a key of Anthropic's never reaches OpenAI (K2)."""
    verdict = check("openai", providers.key("anthropic"))
    assert verdict == Verdict(Health.INVALID, "This is a key of Anthropic, not of OpenAI. It was sent to neither.")
    marked = [provider for provider in SERVED if PROVIDERS[provider].key_pattern]
    for provider in marked:
        for other in marked:
            if other != provider:
                assert check(provider, providers.key(other)).health == Health.INVALID
    assert providers.calls() == []


def test_at_a_server_of_the_tenants_anything_may_be_a_key(providers: ProvidersSandbox) -> None:
    """A gateway speaks OpenAI's API and takes whatever keys it likes (K3)."""
    with serving(answering(200, '{"data": []}')) as server:
        assert at_server(server, providers.key("anthropic")) == valid()
    assert server.asked[0].startswith("GET /v1/models ")


def test_twilios_key_names_its_account(providers: ProvidersSandbox) -> None:
    """SID and token, with a colon (K3)."""
    sid = "AC" + "0" * 32
    for text in (sid, f"{sid}:", f"{sid}:a:b", f"AC12/../x:{'a' * 32}", f"SK{'0' * 32}:{'a' * 32}"):
        assert "colon between them" in check("twilio", text).reason
    assert providers.calls() == []


def test_base_urls_where_there_is_one_address(providers: ProvidersSandbox) -> None:
    """Ollama has none of its own, Groq no other (K3)."""
    assert check("groq", "gsk_" + "a" * 40, "https://models.example.com") == Verdict(
        Health.INVALID, "Groq has one address; leave the base URL empty."
    )
    assert check("ollama", NO_KEY) == Verdict(Health.INVALID, "Ollama needs the base URL of your server.")


def test_an_address_that_leads_inside_by_now_makes_the_key_invalid() -> None:
    """Its name pointed elsewhere when the key was added (K3)."""
    verdict = check_key(
        provider="openai",
        plain=Secret(KEY),
        base_url="https://models.example.com",
        resolve=resolving("93.184.215.14", "169.254.169.254"),
    )
    assert verdict.health == Health.INVALID
    assert "public internet" in verdict.reason


def test_a_redirect_makes_a_tenants_address_invalid_and_a_provider_unreachable(
    settings: Settings,
) -> None:
    """Neither is followed (K3)."""
    with serving(answering(307, "", Location="http://127.0.0.1:1/")) as server:
        assert at_server(server).health == Health.INVALID
        settings.PROVIDERS_HOST = server.url
        assert check("openai", KEY).health == Health.UNREACHABLE
    assert len(server.asked) == 2


def test_a_silent_provider_is_unreachable(providers: ProvidersSandbox, settings: Settings) -> None:
    """After the agreed seconds, which the reason names (K2)."""
    settings.PROVIDER_TIMEOUT_SECONDS = 1
    verdict = check("openai", providers.key("openai", "slow"))
    assert verdict == Verdict(Health.UNREACHABLE, "The provider did not answer within 1 seconds.")


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 1, 1),
        ("999999", 3600, 3600),
        ("9" * 5000, None, None),
        ("soon", None, None),
        ("-5", None, None),
        (format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 3600, 3600),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), 1, 1),
        ("Wed, 01 Jan 2020 00:00:00", None, None),
    ],
    ids=["seconds", "zero", "long", "huge", "word", "negative", "date", "past", "without-zone"],
)
def test_retry_after_is_seconds_or_a_date(header: str, least: int | None, most: int | None) -> None:
    """Within an hour (RFC 9110, 10.2.3; K9)."""
    body = '{"error": {"code": "rate_limit_exceeded"}}'
    with serving(answering(429, body, Retry_After=header)) as server:
        verdict = at_server(server)
    assert verdict.health == Health.RATE_LIMITED
    if least is None or most is None:
        assert verdict.retry_after is None
    else:
        assert verdict.retry_after is not None
        assert least <= verdict.retry_after <= most


def test_white_space_around_a_key_is_dropped() -> None:
    """Copying leaves it (K2)."""
    assert tidy_key(Secret(f"\n\t {KEY}\u00a0\r\n")).same_as(Secret(KEY))


def test_an_unknown_provider() -> None:
    """Is the caller's mistake (K3)."""
    with pytest.raises(UnknownProvider):
        check("openia", KEY)
