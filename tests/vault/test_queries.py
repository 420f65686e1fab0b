"""Reading the vault: a run's ring, lists, who used which key. Few queries whatever the number of rows."""

from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries

from tenants.models import Agent, Tenant, Workspace
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant, make_workspace
from tests.vault.make import make_agent, make_assignment, make_credential, make_office
from vault.health import UNREADABLE
from vault.models import Credential, CredentialAccess, CredentialVersion
from vault.queries import (
    accesses_of,
    assignments_of,
    credentials_of,
    find_credential,
    key_ring,
    offices_of_agent,
    policy_of,
)
from vault.records import note_access
from vault.resolution import KeyRules, Place, resolve
from vault.services.revoke_credential import revoke_credential
from vault.services.set_policy import set_policy

pytestmark = pytest.mark.usefixtures("vault")
PLAN = KeyRules(own_keys=True, byok_enabled=True, byok_only=False)
Room = tuple[Tenant, Workspace]


@pytest.fixture
def room(vault: object) -> Room:
    tenant = make_tenant()
    return tenant, make_workspace(tenant)


def reason(tenant: Tenant, place: Place, model: str = "gpt-5") -> str:
    return resolve(key_ring(tenant.id), place, provider="openai", model=model, rules=PLAN).reason


def test_ring_of_four_queries(room: Room, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """K4: whatever is assigned."""
    tenant, workspace = room
    for number in range(3):
        key = make_credential(tenant)
        make_assignment(tenant, key, "a", "b", at_place=make_office(workspace, f"office-{number}"))
        make_assignment(tenant, key, at_place=make_agent(workspace, f"Agent {number}"))
    with django_assert_num_queries(4):
        ring = key_ring(tenant.id)
    assert (len(ring.rows), len(ring.keys)) == (6, 3)


def test_every_spelling_of_a_place(room: Room) -> None:
    """K4: a run names its office by slug, name or id, its agent by name, id or public id."""
    tenant, workspace = room
    office, agent = make_office(workspace, "support"), make_agent(workspace, "Ada")
    make_assignment(tenant, make_credential(tenant), at_place=office)
    make_assignment(tenant, make_credential(tenant), at_place=agent)
    for spelled in ("support", "Support", str(office.id), office.id.hex):
        assert reason(tenant, Place(workspace.id, office=spelled)) == "assigned-office"
    for spelled in ("Ada", f"agt_{agent.id.hex}", str(agent.id), agent.id.hex):
        assert reason(tenant, Place(workspace.id, agent=spelled)) == "assigned-agent"
    assert reason(tenant, Place(workspace.id, office="Sales", agent="ada")) == "no-assignment"


def test_namesakes(room: Room) -> None:
    """K4: a name means live agents alone, those without a key too; an id means one agent."""
    tenant, workspace = room
    retired, mine, other = (make_agent(workspace, "Ada") for _ in range(3))
    for agent in (retired, mine):
        make_assignment(tenant, make_credential(tenant), at_place=agent)
    Agent.objects.filter(id=retired.id).update(retired_at=AT)
    assert reason(tenant, Place(workspace.id, agent="Ada")) == "ambiguous-agent"
    assert reason(tenant, Place(workspace.id, agent=str(mine.id))) == "assigned-agent"
    Agent.objects.filter(id=other.id).update(retired_at=AT)
    assert reason(tenant, Place(workspace.id, agent="Ada")) == "assigned-agent"
    Agent.objects.filter(id=mine.id).update(retired_at=AT)
    assert reason(tenant, Place(workspace.id, agent="Ada")) == "no-assignment"


def test_namesake_of_another_office(room: Room) -> None:
    """K4: the key of sales' Twin is none of support's."""
    tenant, workspace = room
    twins = [make_agent(workspace, "Twin", office=make_office(workspace, slug)) for slug in ("sales", "support")]
    make_assignment(tenant, make_credential(tenant), at_place=twins[0])
    assert [reason(tenant, Place(workspace.id, office, "Twin")) for office in ("sales", "Sales", "support", "hr")] == [
        "assigned-agent", "assigned-agent", "no-assignment", "no-assignment",
    ]  # fmt: skip
    assert reason(tenant, Place(workspace.id, agent="Twin")) == "ambiguous-agent"


def test_offices_of_an_agent(room: Room) -> None:
    """K4: for runs that name their agent alone."""
    _, workspace = room
    first, second = make_office(workspace, "one"), make_office(workspace, "two")
    old = make_agent(workspace, "Ada", office=first)
    make_agent(workspace, "Ada", office=second)
    make_agent(workspace, "Bob")
    assert offices_of_agent(workspace.id, "Ada") == ("one", "two")
    Agent.objects.filter(id=old.id).update(retired_at=AT)
    assert offices_of_agent(workspace.id, "Ada") == ("two",)
    assert offices_of_agent(workspace.id, f"agt_{old.id.hex}") == ("one",)
    assert [offices_of_agent(workspace.id, name) for name in ("Bob", "Eve", "")] == [("",), (), ()]
    assert offices_of_agent(UUID(int=1), "Ada") == ()


def test_ring_tells_what_cannot_be_read(room: Room) -> None:
    """K6: a current version that is not there, is erased without a revocation, or was found undecryptable."""
    tenant, workspace = room
    missing, marked = make_credential(tenant), make_credential(tenant)
    Credential.objects.filter(id=missing.id).update(current_number=7)
    Credential.objects.filter(id=marked.id).update(health="invalid", health_reason=UNREADABLE)
    for number, key in enumerate((missing, marked)):
        make_assignment(tenant, key, f"m{number}")
        assert reason(tenant, Place(workspace.id), f"m{number}") == "unreadable"


def test_vault_row_missing_bills_the_platform(room: Room) -> None:
    """K6: a key whose text is gone refuses its runs; nobody else pays for them."""
    tenant, workspace = room
    key = make_credential(tenant)
    make_assignment(tenant, key)
    set_policy(tenant_id=tenant.id, fallback="fallback", actor=SYSTEM, at=AT)
    CredentialVersion.objects.filter(credential=key).update(ciphertext=b"", revoked_at=AT)
    found = resolve(key_ring(tenant.id), Place(workspace.id), provider="openai", model="gpt-5", rules=PLAN)
    assert (found.source, found.reason) == ("refused", "unreadable")


def test_keys_as_they_are_shown(room: Room, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """K2: the last four characters, by two queries, and no ciphertext."""
    tenant, _ = room
    keys = [make_credential(tenant, name=name) for name in ("b", "a")]
    make_credential(make_tenant())
    revoke_credential(tenant_id=tenant.id, credential_id=make_credential(tenant).id, actor=SYSTEM, at=AT)
    with django_assert_num_queries(2):
        shown = credentials_of(tenant.id)
    assert [one.credential.id for one in shown] == [keys[1].id, keys[0].id]
    version = CredentialVersion.objects.get(credential=keys[0])
    assert (shown[1].last_four, shown[1].previous) == (version.last_four, None)
    assert len(credentials_of(tenant.id, with_revoked=True)) == 3
    assert "ciphertext" in vars(shown[0].credential)["shown_versions"][0].get_deferred_fields()


def test_foreign_key_is_not_found(room: Room) -> None:
    """K10: neither another tenant's nor the platform's."""
    tenant, _ = room
    for owner in (make_tenant(), None):
        with pytest.raises(Credential.DoesNotExist):
            find_credential(tenant.id, make_credential(owner).id)
    platform = make_credential(None)
    assert find_credential(None, platform.id).credential == platform


def test_assignments_by_one_query(room: Room, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """K4: with everything that a page says of them."""
    tenant, workspace = room
    key = make_credential(tenant, name="Main")
    make_assignment(tenant, key, "gpt-5", at_place=make_agent(workspace))
    make_assignment(tenant, None, at_place=make_office(workspace))
    with django_assert_num_queries(1):
        shown = [(a.model, str(a.agent or a.office), str(a.credential)) for a in assignments_of(tenant.id)]
    assert shown == [("", "Support", "None"), ("gpt-5", "Ada", "openai: Main")]


def test_policy(room: Room) -> None:
    """K6: none until the tenant chose."""
    tenant, _ = room
    assert policy_of(tenant.id) is None
    set_policy(tenant_id=tenant.id, fallback="strict", actor=SYSTEM, at=AT)
    assert policy_of(tenant.id) == "strict"


def test_accesses_to_own_keys(room: Room, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """K10: newest first, page by page; not the platform's keys, although the tenant's runs use them."""
    tenant, workspace = room
    key, platform = make_credential(tenant), make_credential(None)
    for used in (key, platform, key, key):
        note_access(
            key=used,
            number=1,
            outcome=CredentialAccess.Outcome.GRANTED,
            actor=SYSTEM,
            at=AT,
            tenant_id=tenant.id,
            workspace_id=workspace.id,
        )
    with django_assert_num_queries(1):
        first = accesses_of(tenant.id, limit=2)
        assert [str(row.workspace) for row in first] == ["Main", "Main"]
    rest = accesses_of(tenant.id, limit=2, before=first[-1].id, credential_id=key.id)
    assert [row.credential_id for row in [*first, *rest]] == [key.id] * 3
    assert accesses_of(make_tenant().id, limit=9) == []
