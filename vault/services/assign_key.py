import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from tenants.services.record_audit import Actor, record_audit
from vault.errors import InvalidValue, NotUsable
from vault.locks import lock_choices, lock_credential
from vault.models import Assignment
from vault.places import AssignedPlace, check_place
from vault.providers import provider_of

_MOST_MODELS = 100
# A model's name, in which `*` stands for anything.
_MODEL = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._:/@+-]{0,119}")


@transaction.atomic
def assign_key(
    *,
    tenant_id: UUID,
    place: AssignedPlace,
    provider: str,
    models: Sequence[str],
    credential_id: UUID | None,
    actor: Actor,
    at: datetime,
) -> list[Assignment]:
    """Put runs of a place on a key of the tenant, or on the platform's for None: for models, or for all (K4, K7).

    What the place had for these models is replaced; what it has for others stays. Raises UnknownProvider, InvalidValue,
    NotUsable for a revoked key, and Credential.DoesNotExist for a foreign one.
    """
    needs_own = provider_of(provider).needs_base_url
    lock_choices(tenant_id)
    check_place(tenant_id, place)
    if credential_id is not None:
        _check_credential(tenant_id, credential_id, provider)
    elif needs_own:
        raise InvalidValue("credential", "The platform has no key for a provider that runs on your own machines.")
    values = {"credential_id": credential_id, "created_by_id": actor.user_id, "created_at": at}
    rows = _write(checked_models(models), {"tenant_id": tenant_id, **place.columns, "provider": provider}, values)
    credential = str(credential_id) if credential_id is not None else "platform"
    said = {**place.to_json(), "models": list(models), "credential": credential}
    record_audit(tenant_id=tenant_id, actor=actor, action="key_assignment.set", target=provider, at=at, detail=said)
    return rows


def _write(models: Sequence[str], of_place: dict[str, Any], values: dict[str, Any]) -> list[Assignment]:
    """One row a model, under the lock of the tenant's choices."""
    rows = Assignment.objects.filter(**of_place, model__in=models)
    rows.update(**values)
    known = set(rows.values_list("model", flat=True))
    Assignment.objects.bulk_create(
        Assignment(**of_place, model=model, **values) for model in models if model not in known
    )
    return list(rows.order_by("model"))


def _check_credential(tenant_id: UUID, credential_id: UUID, provider: str) -> None:
    key = lock_credential(tenant_id, credential_id)
    if key.provider != provider:
        raise InvalidValue("credential", f"The key “{key.name}” is one for {key.provider}.")
    if key.revoked_at is not None:
        raise NotUsable("revoked", f"The key “{key.name}” is revoked.")


def checked_models(models: Sequence[str]) -> list[str]:
    """What rows say of the models, in the order of locks; all models where none is named. Raises InvalidValue."""
    if len(models) > _MOST_MODELS:
        raise InvalidValue("models", f"Name {_MOST_MODELS} models at most.")
    for model in models:
        if not _MODEL.fullmatch(model):
            raise InvalidValue("models", "A model is named as in the price list; “*” stands for any part of a name.")
    return sorted(set(models)) or [""]
