"""Every provider that keys are kept for (K3): one file each, listed here."""

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings

from vault.errors import UnknownProvider
from vault.providers.answers import Verdict
from vault.providers.anthropic import Anthropic
from vault.providers.assemblyai import AssemblyAI
from vault.providers.base import NO_KEY, Kind, Provider
from vault.providers.cartesia import Cartesia
from vault.providers.deepgram import Deepgram
from vault.providers.deepseek import DeepSeek
from vault.providers.elevenlabs import ElevenLabs
from vault.providers.google import Google
from vault.providers.groq import Groq
from vault.providers.ollama import Ollama
from vault.providers.openai import OpenAI
from vault.providers.openrouter import OpenRouter
from vault.providers.postmark import Postmark
from vault.providers.resend import Resend
from vault.providers.sendgrid import SendGrid
from vault.providers.telnyx import Telnyx
from vault.providers.together import Together
from vault.providers.twilio import Twilio

__all__ = ["NO_KEY", "PROVIDERS", "Kind", "Provider", "Verdict", "base_url_of", "provider_of"]

_ALL: list[Provider] = [
    Anthropic(),
    OpenAI(),
    Google(),
    Groq(),
    DeepSeek(),
    OpenRouter(),
    Together(),
    Ollama(),
    Deepgram(),
    AssemblyAI(),
    ElevenLabs(),
    Cartesia(),
    Twilio(),
    Telnyx(),
    SendGrid(),
    Resend(),
    Postmark(),
]
PROVIDERS: Mapping[str, Provider] = MappingProxyType({provider.id: provider for provider in _ALL})


def provider_of(provider_id: str) -> Provider:
    """The provider of that id. Raises UnknownProvider."""
    try:
        return PROVIDERS[provider_id]
    except KeyError:
        raise UnknownProvider("No provider of that name is known.") from None


def base_url_of(provider: Provider, base_url: str) -> str:
    """Where calls go: the tenant's own base URL, else the operator's stand-in for all, else the provider's."""
    if base_url:
        return base_url
    if settings.PROVIDERS_HOST:
        return f"{settings.PROVIDERS_HOST.rstrip('/')}/{provider.id}"
    return provider.official_url
