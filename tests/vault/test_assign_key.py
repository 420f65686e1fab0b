"""Assigning keys to places and models, taking that back, and the choice for where there is none."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from tenants.models import AuditEvent, Tenant, Workspace
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer, make_tenant, make_workspace
from tests.vault.make import make_agent, make_assignment, make_credential, make_office, place_of
from vault.errors import InvalidValue, NotUsable, UnknownProvider
from vault.models import Assignment, Credential, KeyPolicy
from vault.places import AssignedPlace
from vault.services.assign_key import assign_key
from vault.services.revoke_credential import revoke_credential
from vault.services.set_policy import set_policy
from vault.services.unassign_key import unassign_key

pytestmark = pytest.mark.usefixtures("vault")
EVERYWHERE = AssignedPlace()


def assign(tenant: Tenant, credential_id: UUID | None, *models: str, **changed: Any) -> list[Assignment]:
    values = {"place": EVERYWHERE, "provider": "openai", "actor": SYSTEM, "at": AT} | changed
    return assign_key(tenant_id=tenant.id, models=models, credential_id=credential_id, **values)


def unassign(tenant: Tenant, *models: str, place: AssignedPlace = EVERYWHERE) -> int:
    return unassign_key(tenant_id=tenant.id, place=place, provider="openai", models=models, actor=SYSTEM, at=AT)


def rows(tenant: Tenant) -> Sequence[tuple[str, UUID | None]]:
    return list(Assignment.objects.filter(tenant=tenant).order_by("model").values_list("model", "credential_id"))


def test_models_are_replaced_one_by_one() -> None:
    """K7: what is said of other models stays; the same again is no second row."""
    tenant = make_tenant()
    first, second = make_credential(tenant), make_credential(tenant)
    assign(tenant, first.id)
    assign(tenant, first.id, "gpt-5", "gpt-4*")
    changed = assign(tenant, second.id, "gpt-5", "gpt-5")
    assert [row.model for row in changed] == ["gpt-5"]
    assign(tenant, None, "o3")
    assert rows(tenant) == [("", first.id), ("gpt-4*", first.id), ("gpt-5", second.id), ("o3", None)]


def test_taking_back() -> None:
    """K4: each row goes by its own name, at its own place."""
    tenant = make_tenant()
    workspace = make_workspace(tenant)
    key = make_credential(tenant)
    make_assignment(tenant, key)
    make_assignment(tenant, key, "gpt-5")
    make_assignment(tenant, key, at_place=workspace)
    assert unassign(tenant) == 1
    assert unassign(tenant) == 0
    assert unassign(tenant, "gpt-5", "gpt-4") == 1
    assert unassign(tenant, place=AssignedPlace(workspace.id)) == 1
    assert rows(tenant) == []


def test_audit_says_what_and_where() -> None:
    """K10: each change has its line; one that changed nothing has none."""
    tenant = make_tenant()
    agent = make_agent(make_workspace(tenant))
    key = make_credential(tenant)
    make_assignment(tenant, key, "gpt-5", at_place=agent)
    make_assignment(tenant, None)
    unassign(tenant, "gpt-5", place=place_of(agent))
    unassign(tenant, "gpt-5", place=place_of(agent))
    where = {"workspace": str(agent.workspace_id), "agent": str(agent.id), "models": ["gpt-5"]}
    lines = AuditEvent.objects.filter(tenant=tenant).order_by("id").values_list("action", "target", "detail")
    assert list(lines) == [
        ("key_assignment.set", "openai", where | {"credential": str(key.id)}),
        ("key_assignment.set", "openai", {"models": [], "credential": "platform"}),
        ("key_assignment.removed", "openai", where),
    ]


def test_places_of_others_are_refused() -> None:
    """K10: another tenant's workspace, another workspace's office or agent, half a place."""
    tenant, foreign = make_tenant(), make_workspace(make_tenant())
    workspace = make_workspace(tenant)
    office, agent = make_office(foreign), make_agent(foreign)
    wrong = {
        AssignedPlace(foreign.id): "workspace",
        AssignedPlace(workspace.id, office_id=office.id): "office",
        AssignedPlace(workspace.id, agent_id=agent.id): "agent",
        AssignedPlace(None, office_id=office.id): "workspace",
        AssignedPlace(workspace.id, office_id=office.id, agent_id=agent.id): "place",
    }
    for place, field in wrong.items():
        with pytest.raises(InvalidValue) as refusal:
            assign(tenant, None, place=place)
        assert refusal.value.field == field


def test_keys_that_cannot_be_assigned() -> None:
    """K4: a foreign one, one of another provider, a revoked one."""
    tenant = make_tenant()
    with pytest.raises(Credential.DoesNotExist):
        assign(tenant, make_credential(make_tenant()).id)
    with pytest.raises(Credential.DoesNotExist):
        assign(tenant, make_credential(None).id)
    with pytest.raises(InvalidValue):
        assign(tenant, make_credential(tenant, "groq").id)
    key = make_credential(tenant)
    revoke_credential(tenant_id=tenant.id, credential_id=key.id, actor=SYSTEM, at=AT)
    with pytest.raises(NotUsable):
        assign(tenant, key.id)
    with pytest.raises(UnknownProvider):
        assign(tenant, None, provider="nobody")
    with pytest.raises(InvalidValue):
        assign(tenant, None, provider="ollama")


@pytest.mark.parametrize("model", ["", "a b", "x" * 121, "gpt-[45]", "gpt-?", "\x00", "naïve"])
def test_models_that_are_none(model: str) -> None:
    """K7: a pattern knows `*` alone."""
    with pytest.raises(InvalidValue):
        assign(make_tenant(), None, model)


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


def version(customer: Customer) -> int:
    customer.account.refresh_from_db()
    return customer.account.version


def test_decisions_of_before_are_stale(customer: Customer) -> None:
    """K4: each change of assignments or policy raises the accounts' version."""
    steps = [version(customer)]
    key = make_credential(customer.tenant)
    make_assignment(customer.tenant, key)
    steps.append(version(customer))
    set_policy(tenant_id=customer.tenant.id, fallback="strict", actor=SYSTEM, at=AT)
    steps.append(version(customer))
    unassign(customer.tenant)
    steps.append(version(customer))
    assert steps == sorted(set(steps))


def test_policy_is_chosen_and_taken_back() -> None:
    """K6, K10: with its line of the audit log; the same again has none."""
    tenant: Tenant = make_tenant()
    for word in ("strict", "strict", "fallback", None, None):
        set_policy(tenant_id=tenant.id, fallback=word, actor=SYSTEM, at=AT)
    assert not KeyPolicy.objects.filter(tenant=tenant).exists()
    lines = AuditEvent.objects.filter(tenant=tenant, action="key_policy.set").order_by("id")
    assert [line.detail for line in lines] == [
        {"before": None, "after": "strict"},
        {"before": "strict", "after": "fallback"},
        {"before": "fallback", "after": None},
    ]
    with pytest.raises(InvalidValue):
        set_policy(tenant_id=tenant.id, fallback="maybe", actor=SYSTEM, at=AT)


def test_office_that_goes_takes_its_assignments_along() -> None:
    """K4: and the runs that were there are resolved anew."""
    workspace: Workspace = make_workspace(make_tenant())
    office = make_office(workspace)
    make_assignment(workspace.tenant, None, at_place=office)
    office.delete()
    assert rows(workspace.tenant) == []
