"""Writing versions of a key: the text of each is encrypted where it is written, and erased for good (K8)."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from tenants.services.record_audit import Actor
from vault.crypto.envelope import Binding
from vault.crypto.secret import Secret
from vault.data_keys import open_data_key
from vault.errors import InvalidValue, KeyRejected, NotUsable, ProviderUnreachable, Unreadable
from vault.inputs import check_name, repeats
from vault.models import Credential, CredentialVersion, DataKey, Health
from vault.providers import NO_KEY, Verdict, provider_of
from vault.sealing import seal, unseal

_NEXT = timedelta(microseconds=1)
Stored = Callable[[Credential], None]


def unheard(key: Credential) -> None:
    """Where nobody waits to hear that a key is stored."""


def accepted(verdict: Verdict) -> Verdict:
    """A verdict on a key that may be kept; raises KeyRejected or ProviderUnreachable for the others (K2)."""
    if verdict.health == Health.INVALID:
        raise KeyRejected(verdict.reason, verdict.health)
    if verdict.health == Health.UNREACHABLE:
        raise ProviderUnreachable(verdict.reason)
    return verdict


def unwrap_data_key(tenant_id: UUID | None) -> None:
    """Have the owner's data key at hand before rows are locked: the service that unwraps it may be slow."""
    in_use = DataKey.objects.filter(Q(tenant_id=tenant_id), replaced_at=None).values_list("id", flat=True).first()
    if in_use is not None:
        open_data_key(in_use)


def unseal_current(key: Credential, version: CredentialVersion | None, *, tenant_id: UUID | None) -> Secret:
    """The text of the current version as it was read, for whom the caller acts. Raises as `unseal`; Unreadable too
    where the row is not there."""
    if version is None:
        raise Unreadable("The version is gone.")
    return unseal(key, version, tenant_id=tenant_id)


def write_version(*, key: Credential, number: int, plain: Secret, actor: Actor, at: datetime) -> CredentialVersion:
    """Encrypt a text as this version of the key, in the transaction of what makes it the current one."""
    binding = Binding(key.tenant_id, key.id, number, key.provider, key.base_url)
    sealed = seal(plain, binding, at=at)
    return CredentialVersion.objects.create(
        credential=key,
        number=number,
        data_key_id=sealed.data_key_id,
        ciphertext=sealed.ciphertext,
        last_four=end_of(plain),
        created_by_id=actor.user_id,
        created_at=at,
    )


def end_of(plain: Secret) -> str:
    """The last characters, as they may be shown; none of what stands for no key at all."""
    return "" if plain.same_as(Secret(NO_KEY)) else plain.last_four


def erase_versions(*, key: Credential, numbers: Sequence[int], at: datetime) -> int:
    """Erase what is left of these versions, under the lock of the key's row; answers how many had a text."""
    live = CredentialVersion.objects.filter(credential=key, number__in=numbers, revoked_at=None)
    return live.update(ciphertext=b"", revoked_at=at, overlap_ends_at=None)


def replace_version(*, key: Credential, number: int, overlap: timedelta, at: datetime) -> None:
    """Keep a version that is no longer in use for a while, or erase it, under the lock of the key's row.

    When its provider ends it, as the key says it still, is kept with it.
    """
    versions = CredentialVersion.objects.filter(credential=key)
    latest = versions.aggregate(latest=Max("replaced_at"))["latest"]
    replaced_at = at if latest is None else max(at, latest + _NEXT)
    kept = versions.filter(number=number, revoked_at=None)
    kept.update(replaced_at=replaced_at, expires_at=key.expires_at)
    if overlap > timedelta(0):
        kept.update(overlap_ends_at=at + overlap)
    else:
        erase_versions(key=key, numbers=[number], at=at)


def replaced_last(key: Credential, at: datetime) -> CredentialVersion | None:
    """The version that can be gone back to: the one that the current one took the place of, while it is kept (K8).

    No other one: it was itself replaced, for its own reasons, by what is offered or no longer there.
    """
    replaced = CredentialVersion.objects.filter(credential=key, replaced_at__isnull=False).order_by("-replaced_at")
    last = replaced.first()
    is_kept = last is not None and last.overlap_ends_at is not None and last.overlap_ends_at > at
    return last if is_kept else None


def check_name_beside(key: Credential, name: str, *, tenant_id: UUID | None) -> None:
    """Raises InvalidValue; HoldsKey for a name with one of the key's own texts in it; as `unseal` where one is read.

    Texts are read only where the name has what is shown of them, or where they are pairs. Nothing of them is given to
    anybody, so that it is no access.
    """
    check_name(name)
    live = CredentialVersion.objects.filter(credential=key, revoked_at=None)
    for version in live:
        if version.last_four.casefold() in name.casefold() or provider_of(key.provider).auth_scheme == "Basic":
            with suppress(Unreadable):
                check_name(name, unseal(key, version, tenant_id=tenant_id))


def require_unnamed(key: Credential, plain: Secret) -> None:
    """Raises InvalidValue for a new text that the key's name or address shows to many already (K2)."""
    if repeats(key.name, plain) or repeats(key.base_url, plain):
        raise InvalidValue(
            "plain", "This text stands in the key's name or address, where others read it. Make another."
        )


def require_not_revoked(key: Credential) -> None:
    """Raises NotUsable."""
    if key.revoked_at is not None:
        raise NotUsable("revoked", f"The key “{key.name}” is revoked.")


def last_four_of(key: Credential) -> str:
    """Of the current version; empty where its row is gone."""
    current = CredentialVersion.objects.filter(credential=key, number=key.current_number)
    return current.values_list("last_four", flat=True).first() or ""
