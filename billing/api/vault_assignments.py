"""From an assignment as it is sent to the place and the key that it names, inside the caller's tenant (K4, K7)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from billing.api.permissions import caller_of
from billing.api.serializers import Text
from billing.api.vault_fields import OpenText, ProviderField, VaultBody, Word
from billing.core.ids import InvalidId, decode_id
from tenants.models import Agent, Office, Workspace
from tenants.queries import Caller, find_workspace
from vault.errors import InvalidValue
from vault.models import Credential
from vault.places import AssignedPlace

PLATFORM = "platform"
SCOPES = ["tenant", "workspace", "office", "agent"]
MOST_ASSIGNMENTS, MOST_MODELS = 200, 100  # of one request
_NEEDED = {
    "tenant": (),
    "workspace": ("workspace",),
    "office": ("workspace", "office"),
    "agent": ("workspace", "agent"),
}
_PLACES = ("workspace", "office", "agent")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Assigning:
    """A checked assignment. `removed`: the place is to have none for these models; else no key means the platform's.

    `row` is its position in a list, None where it was sent by itself.
    """

    row: int | None
    place: AssignedPlace
    provider: str
    models: list[str]
    credential_id: UUID | None
    removed: bool

    def what(self) -> "What":
        """As the services take it."""
        return {"place": self.place, "provider": self.provider, "models": self.models}


class What(TypedDict):
    """What is assigned, or no more."""

    place: AssignedPlace
    provider: str
    models: list[str]


@extend_schema_field({"type": ["string", "null"], "maxLength": 100})
class KeyName(Text):
    """A class of its own: what is said of a class holds for all of its fields."""


class AssignmentChange(VaultBody):
    """Which key the runs of a place are on. Without models it is meant for all that no other row of the place names."""

    scope = Word(SCOPES)
    workspace = Text(required=False, allow_null=True, max_length=100, help_text="Slug or id.")
    office = Text(required=False, allow_null=True, max_length=100, help_text="Slug or id, in the workspace.")
    agent = Text(
        required=False,
        allow_null=True,
        max_length=200,
        help_text="Id, or name where one live agent has it. A retired agent is named by its id, to remove what it has.",
    )
    provider = ProviderField()
    models = serializers.ListField(
        child=OpenText(max_length=120),
        required=False,
        max_length=MOST_MODELS,
        help_text="Names as runs send them; `*` stands for any characters.",
    )
    credential = KeyName(
        allow_null=True, max_length=100, help_text="Id of a key, `platform`, or null to remove the assignment."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = _NEEDED[attrs["scope"]]
        errors = {name: _detail("This field is required.", "required") for name in needed if not attrs.get(name)}
        for name in set(_PLACES) - set(needed):
            if attrs.get(name) is not None:
                errors[name] = _detail("It does not belong to this scope.", "not-in-scope")
        if errors:
            raise ValidationError(errors)
        return attrs


class AssignmentChanges(VaultBody):
    """Several assignments: all of them are made, or none."""

    assignments = serializers.ListField(child=AssignmentChange(), allow_empty=False, max_length=MOST_ASSIGNMENTS)


def read_changes(request: Request) -> list[Assigning]:
    """What a request asks for: one assignment, or a list of them.

    Raises ValidationError, whose field names the row of a list, also for places and keys that the tenant does not have.
    """
    caller = caller_of(request)
    if "assignments" not in request.data:
        return [_assigning(caller, None, AssignmentChange.read(request))]
    changes: list[Assigning] = []
    errors: dict[str, Any] = {}
    for row, change in enumerate(AssignmentChanges.read(request)["assignments"]):
        try:
            changes.append(_assigning(caller, row, change))
        except ValidationError as error:
            errors[str(row)] = error.detail
    if errors:
        raise ValidationError({"assignments": errors})
    return changes


@contextmanager
def telling_row(change: Assigning) -> Iterator[None]:
    """Says of what a service refuses which row of the list it is. Raises ValidationError."""
    try:
        yield
    except InvalidValue as error:
        refused: dict[str, Any] = {error.field: _detail(error.reason, "invalid")}
        raise ValidationError(refused if change.row is None else {"assignments": {str(change.row): refused}}) from None


def _assigning(caller: Caller, row: int | None, change: dict[str, Any]) -> Assigning:
    credential = change["credential"]
    named = credential not in {None, PLATFORM}
    return Assigning(
        row=row,
        place=_place(caller, change),
        provider=change["provider"],
        models=change.get("models", []),
        credential_id=_credential(caller, credential, change["provider"]) if named else None,
        removed=credential is None,
    )


def _place(caller: Caller, change: dict[str, Any]) -> AssignedPlace:
    if change["scope"] == "tenant":
        return AssignedPlace(None, None, None)
    workspace = _found("workspace", find_workspace, caller, change["workspace"])
    office = agent = None
    if change["scope"] == "office":
        office = _found("office", _office, workspace, change["office"]).id
    if change["scope"] == "agent":
        find = _any_agent if change["credential"] is None else _agent
        agent = _found("agent", find, workspace, change["agent"]).id
    return AssignedPlace(workspace.id, office, agent)


def _found(field: str, find: Callable[[Any, str], Found | None], within: object, name: str) -> Found:
    """Raises ValidationError where there is no such thing inside."""
    found = find(within, name)
    if found is None:
        raise ValidationError({field: _detail(f"There is no such {field}.", "not-found")})
    return found


def _office(workspace: Workspace, name: str) -> Office | None:
    as_id = _id_or_none("off", name)
    return workspace.offices.filter(Q(slug=name) | Q(id=as_id)).first()


def _any_agent(workspace: Workspace, name: str) -> Agent | None:
    """A retired agent too, by its id: what it has can be removed. Raises as `_agent`."""
    as_id = _id_or_none("agt", name)
    return workspace.agents.filter(id=as_id).first() if as_id is not None else _agent(workspace, name)


def _agent(workspace: Workspace, name: str) -> Agent | None:
    """Raises ValidationError for a name that several live agents have."""
    as_id = _id_or_none("agt", name)
    agents = workspace.agents.filter(retired_at=None)
    named = list(agents.filter(name=name)[:2]) if as_id is None else [agents.filter(id=as_id).first()]
    if len(named) > 1:
        raise ValidationError({"agent": _detail("Several agents have this name: send the id.", "ambiguous")})
    return named[0] if named else None


def _credential(caller: Caller, text: str, provider: str) -> UUID:
    """A key of the tenant that is not revoked, for the provider. Raises ValidationError for every other one."""
    credential_id = _id_or_none("cred", text)
    mine = Credential.objects.filter(tenant_id=caller.tenant_id, revoked_at=None)
    found = mine.filter(id=credential_id).first() if credential_id is not None else None
    if found is None:
        raise ValidationError({"credential": _detail("There is no such key.", "not-found")})
    if found.provider != provider:
        raise ValidationError({"credential": _detail(f"The key is for {found.provider}.", "other-provider")})
    return found.id


def _id_or_none(prefix: str, text: str) -> UUID | None:
    try:
        return decode_id(prefix, text)
    except InvalidId:
        pass
    try:
        return UUID(text)
    except ValueError:
        return None


def _detail(text: str, code: str) -> ErrorDetail:
    return ErrorDetail(text, code)
