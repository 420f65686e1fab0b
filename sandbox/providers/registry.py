"""All stand-ins, by id."""

from sandbox.providers.provider import Provider
from sandbox.providers.shapes import mail, openai_like, other_models, speech, telephony

PROVIDERS: dict[str, Provider] = {
    provider.id: provider
    for family in (other_models, openai_like, speech, telephony, mail)
    for provider in family.PROVIDERS
}


def valid_keys() -> dict[str, str]:
    """A key that works, for every provider that asks for one."""
    return {provider.id: provider.key() for provider in PROVIDERS.values() if provider.needs_key}
