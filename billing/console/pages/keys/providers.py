"""Providers to choose from, and the page that asks for a key of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from billing.console.key_forms import AddKeyForm
from billing.console.key_texts import KINDS
from billing.console.pages.keys.overview import vault_is_ready
from billing.plans.queries import listed_models
from vault.providers import PROVIDERS
from vault.providers.base import Provider


@dataclass(frozen=True, slots=True)
class ProviderGroup:
    """Providers of one kind."""

    title: str
    providers: Sequence[Provider]


@dataclass(frozen=True, slots=True)
class ProvidersPage:
    """Every provider that keys are kept for."""

    groups: Sequence[ProviderGroup]
    is_ready: bool


@dataclass(frozen=True, slots=True)
class AddKeyPage:
    """The form for a provider's key, empty or refused."""

    provider: Provider
    form: AddKeyForm
    is_ready: bool

    @property
    def console_host(self) -> str:
        """Where keys are made, short."""
        return urlsplit(self.provider.console_url).netloc

    @property
    def kind(self) -> str:
        return KINDS[self.provider.kind]


def providers_page() -> ProvidersPage:
    """One query."""
    groups = [
        ProviderGroup(title, [provider for provider in PROVIDERS.values() if provider.kind == kind])
        for kind, title in KINDS.items()
    ]
    return ProvidersPage(groups, vault_is_ready())


def add_key_page(provider: Provider, form: AddKeyForm) -> AddKeyPage:
    """One query."""
    return AddKeyPage(provider, form, vault_is_ready())


def provider_choices() -> list[tuple[str, str]]:
    """For a select, by name."""
    return sorted(((provider.id, provider.name) for provider in PROVIDERS.values()), key=lambda row: row[1].casefold())


def model_choices(provider: str, at: datetime) -> list[tuple[str, str]]:
    """The listed models of a provider, as (id, title)."""
    return [(model.model, model.title) for model in listed_models(at) if model.provider == provider]
