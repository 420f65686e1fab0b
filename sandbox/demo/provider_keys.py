"""The demo's provider keys: the platform's own, and some that the first tenant brought. All are the stand-in's."""

import http.client
import json
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from billing.runtime.models import ProviderBudget
from sandbox.demo.people import DEMO_TENANT
from sandbox.errors import SandboxError
from sandbox.providers.keys import NAMED, State
from sandbox.providers.registry import PROVIDERS
from sandbox.sockets import LOOPBACK
from tenants.models import Office, Tenant
from tenants.services.record_audit import SYSTEM
from vault.crypto.secret import Secret
from vault.models import AllowedHost, Credential, KeyEncryptionKey
from vault.places import AssignedPlace
from vault.queries import keys_of
from vault.services.add_credential import add_credential
from vault.services.assign_key import assign_key
from vault.services.create_kek import create_kek
from vault.services.validate_credential import validate_credential

BUDGET = Decimal(25_000)  # US dollars a month at each provider
MODELS = [provider.id for provider in PROVIDERS.values() if provider.kind == "llm" and provider.needs_key]
OWN_OFFICE = "sales"  # runs on the tenant's own key of Anthropic
HOST_NOTE = "The providers' sandbox of the demo"
_PLATFORM, _RESERVE, _TENANT, _ = NAMED
_RETIRED = "retired"  # the name of a key that the provider knew once
_TIME_OUT = 10.0  # seconds


def asks_sandbox() -> bool:
    """Whether the providers are the stand-in on this machine."""
    host: str = settings.PROVIDERS_HOST
    return urlsplit(host).hostname == LOOPBACK


def furnish_keys(*, at: datetime) -> None:
    """Add what is missing of the demo's keys; what somebody changed or revoked stays so.

    Needs the stand-in: made-up keys are never shown to real providers.
    """
    if not asks_sandbox():
        return
    if not KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).exists():
        create_kek(name="demo", backend=KeyEncryptionKey.Backend.LOCAL, location="", at=at)
    _allow_sandbox(at)
    for provider in MODELS:
        _add(None, provider, "Main", PROVIDERS[provider].key(_PLATFORM), at, weight=3)
        ProviderBudget.objects.get_or_create(
            provider=provider, period=ProviderBudget.Period.MONTH, defaults={"amount": BUDGET, "created_at": at}
        )
    _add(None, "openai", "Reserve", PROVIDERS["openai"].key(_RESERVE), at)
    _furnish_tenant(Tenant.objects.get(slug=DEMO_TENANT), at)


def _allow_sandbox(at: datetime) -> None:
    """Let tenants use the stand-in's Ollama at `http://127.0.0.1:PORT/ollama`, and no port that it had before."""
    port = urlsplit(settings.PROVIDERS_HOST).port
    AllowedHost.objects.filter(host=LOOPBACK, note=HOST_NOTE).exclude(port=port).delete()
    AllowedHost.objects.get_or_create(host=LOOPBACK, port=port, defaults={"note": HOST_NOTE, "created_at": at})


def _furnish_tenant(tenant: Tenant, at: datetime) -> None:
    """Two keys in use, and one that its provider stopped accepting."""
    office = Office.objects.get(workspace__tenant=tenant, slug=OWN_OFFICE)
    places = {
        "anthropic": ("Sales team", AssignedPlace(workspace_id=office.workspace_id, office_id=office.id)),
        "groq": ("Groq", AssignedPlace()),
    }
    for provider, (name, place) in places.items():
        if key := _add(tenant.id, provider, name, PROVIDERS[provider].key(_TENANT), at):
            assign_key(
                tenant_id=tenant.id,
                place=place,
                provider=provider,
                models=[],
                credential_id=key.id,
                actor=SYSTEM,
                at=at,
            )
    _add_retired(tenant.id, "google", "Pilot project", at)


def _add_retired(tenant_id: UUID, provider: str, name: str, at: datetime) -> None:
    """A key that was good when it was added and is not any more."""
    if _is_there(tenant_id, provider, name):
        return
    text = PROVIDERS[provider].key(_RETIRED)
    _tell_sandbox(provider, text, State.VALID)
    key = _add(tenant_id, provider, name, text, at)
    _tell_sandbox(provider, text, State.INVALID)
    if key:
        validate_credential(tenant_id=tenant_id, credential_id=key.id, actor=SYSTEM, at=at)


def _add(
    tenant_id: UUID | None, provider: str, name: str, text: str, at: datetime, *, weight: int = 1
) -> Credential | None:
    """The new key; None where one of this name is there, or was and is revoked."""
    if _is_there(tenant_id, provider, name):
        return None
    return add_credential(
        tenant_id=tenant_id, provider=provider, name=name, plain=Secret(text), weight=weight, actor=SYSTEM, at=at
    )


def _is_there(tenant_id: UUID | None, provider: str, name: str) -> bool:
    return keys_of(tenant_id).filter(provider=provider, name=name).exists()


def _tell_sandbox(provider: str, key: str, state: State) -> None:
    """Move a key to another state. SandboxError where the stand-in refuses."""
    connection = http.client.HTTPConnection(urlsplit(settings.PROVIDERS_HOST).netloc, timeout=_TIME_OUT)
    try:
        connection.request("POST", "/_sandbox/keys", json.dumps({"provider": provider, "key": key, "state": state}))
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise SandboxError(f"The providers' sandbox answered {answer.status}: {text}")
