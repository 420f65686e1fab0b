"""What a key's owners are written when its health changes: what happened, what runs do now, what helps (K9)."""

from collections.abc import Sequence
from typing import NamedTuple

from vault.health import UNREADABLE
from vault.models import BROKEN, Assignment, Health
from vault.providers import PROVIDERS
from vault.queries import KeySummary
from vault.resolution import FALLBACK, STRICT

_MOST_PLACES = 10
_HAPPENED = {
    Health.QUOTA_EXHAUSTED: "has used up its quota",
    Health.INVALID: "is not accepted any more",
    Health.UNREACHABLE: "cannot be checked: its provider does not answer",
    Health.REVOKED: "was revoked",
    Health.RESTRICTED: "is restricted",
    Health.EXPIRING: "expires soon",
}
_TO_DO = {
    Health.QUOTA_EXHAUSTED: "Add credit or raise the limit at the provider. The key is checked every 15 minutes and "
    "used again as soon as it works.",
    Health.INVALID: "Make a new key at the provider and rotate this one to it in the console, under Provider keys.",
    Health.UNREACHABLE: "The key is checked again every few minutes and used again as soon as the provider answers. "
    "If it is a server of yours, see that it runs.",
    Health.REVOKED: "Its text is erased for good. Assign another key in the console, or remove its assignments.",
    Health.RESTRICTED: "Give the key the permissions that it lacks at the provider, or rotate it to one that has them.",
    Health.EXPIRING: "Make a new key at the provider and rotate this one to it in the console before it ends.",
}
_UNREADABLE_TO_DO = "Rotate the key to a new text in the console. Your provider knows nothing of this."


class News(NamedTuple):
    """An e-mail's subject, without the tenant's name, and its text."""

    subject: str
    text: str


def news_of(key: KeySummary, after: Health, reason: str, *, assigned: Sequence[Assignment], policy: str | None) -> News:
    """What to tell of a change to `after`; `assigned` are the tenant's assignments of this key."""
    provider = PROVIDERS.get(key.credential.provider)
    name = provider.name if provider is not None else key.credential.provider
    which = f"{name} key “{key.credential.name}”"
    happened = _HAPPENED.get(after, "works again")
    facts = f"The {which} (…{key.last_four}) {happened}."
    if reason:
        facts = f"{facts} {reason}"
    paragraphs = [facts, _meaning(after, key, reason, assigned, policy), _to_do(after, key, reason)]
    return News(f"{which} {happened}", "\n\n".join(paragraph for paragraph in paragraphs if paragraph))


def _meaning(after: Health, key: KeySummary, reason: str, assigned: Sequence[Assignment], policy: str | None) -> str:
    if not assigned:
        return "No run is assigned to this key."
    places = [_place(row) for row in assigned[:_MOST_PLACES]]
    more = f" and {len(assigned) - _MOST_PLACES} more" if len(assigned) > _MOST_PLACES else ""
    return f"It is assigned to {'; '.join(places)}{more}. {_runs(after, key, reason, policy)}"


def _runs(after: Health, key: KeySummary, reason: str, policy: str | None) -> str:
    """What becomes of the runs that are assigned to it (K6)."""
    if after not in BROKEN:
        return "Runs there use it."
    if key.credential.base_url or reason == UNREADABLE or policy == STRICT:
        return "Runs there are refused until that is mended."
    if policy == FALLBACK:
        return "Runs there use the platform’s key until that is mended, and are charged as its runs."
    return (
        "Runs there use the platform’s key until that is mended, and are charged as its runs; on a plan for own keys "
        "alone they are refused."
    )


def _to_do(after: Health, key: KeySummary, reason: str) -> str:
    if reason == UNREADABLE:
        return _UNREADABLE_TO_DO
    if after == Health.EXPIRING and key.credential.expires_at is not None:
        return f"It ends on {key.credential.expires_at:%d %B %Y, %H:%M} UTC. {_TO_DO[after]}"
    return _TO_DO.get(after, "")


def _place(row: Assignment) -> str:
    models = row.model or "all models"
    if row.workspace is None:
        return f"the whole tenant ({models})"
    workspace = row.workspace.name
    if row.agent is not None:
        return f"agent {row.agent.name} in {workspace} ({models})"
    if row.office is not None:
        return f"office {row.office.name} in {workspace} ({models})"
    return f"workspace {workspace} ({models})"
