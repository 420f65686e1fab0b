"""The registry of providers (K3)."""

import re

import pytest
from pytest_django import Settings

from sandbox.providers import registry
from vault.errors import UnknownProvider
from vault.providers import PROVIDERS, Kind, base_url_of, provider_of

EVERY = sorted(PROVIDERS)


def test_every_kind_has_its_providers() -> None:
    """All that K3 names."""
    kinds = {kind: {provider.id for provider in PROVIDERS.values() if provider.kind == kind} for kind in Kind}
    assert kinds == {
        Kind.LLM: {"anthropic", "openai", "google", "groq", "deepseek", "openrouter", "together", "ollama"},
        Kind.STT: {"deepgram", "assemblyai"},
        Kind.TTS: {"elevenlabs", "cartesia"},
        Kind.TELEPHONY: {"twilio", "telnyx"},
        Kind.EMAIL: {"sendgrid", "resend", "postmark"},
    }


def test_names_and_patterns_are_of_one_provider_each() -> None:
    """What people choose from is unambiguous, and each pattern is a whole one (K3)."""
    assert len({provider.name for provider in PROVIDERS.values()}) == len(PROVIDERS)
    patterns = [provider.key_pattern for provider in PROVIDERS.values() if provider.key_pattern]
    assert len(set(patterns)) == len(patterns)
    for pattern in patterns:
        assert re.compile(pattern).fullmatch("") is None


@pytest.mark.parametrize("provider_id", EVERY)
def test_every_provider_is_described(provider_id: str) -> None:
    """What forms and calls need (K3)."""
    provider = PROVIDERS[provider_id]
    assert provider.id == provider_id
    assert provider.name
    assert provider.key_hint
    assert provider.console_url.startswith("https://")
    assert provider.path.startswith("/")
    assert provider.needs_base_url or re.fullmatch(r"https://[a-z.-]+", provider.official_url)
    assert provider.takes_base_url or not provider.needs_base_url


@pytest.mark.parametrize("provider_id", EVERY)
def test_a_key_with_marks_is_of_one_provider(provider_id: str) -> None:
    """A key in the provider's own form matches its pattern, if it has one, and no other's (K3)."""
    text = registry.PROVIDERS[provider_id].key("valid")
    owners = [provider.id for provider in PROVIDERS.values() if provider.owns(text)]
    assert owners == ([provider_id] if PROVIDERS[provider_id].key_pattern else [])


def test_an_unknown_provider_is_refused() -> None:
    """Without repeating what was asked for, which may be a key in the wrong field (K2)."""
    with pytest.raises(UnknownProvider) as caught:
        provider_of("sk-canary-0123456789")
    assert "canary" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_calls_go_to_the_tenants_server_the_stand_in_or_the_provider(settings: Settings) -> None:
    """In this order (K3)."""
    openai = provider_of("openai")
    assert base_url_of(openai, "") == "https://api.openai.com"
    settings.PROVIDERS_HOST = "http://127.0.0.1:9000/"
    assert base_url_of(openai, "") == "http://127.0.0.1:9000/openai"
    assert base_url_of(openai, "https://models.example.com") == "https://models.example.com"
