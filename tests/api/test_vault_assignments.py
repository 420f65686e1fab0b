"""/v1/vault/assignments: places, models and keys."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tenants.models import Agent, AuditEvent, Office
from tests.api.calls import call, field_codes, get
from tests.make import AT, Customer, make_customer
from tests.vault.make import make_assignment, make_credential
from vault.models import Assignment, Credential, Health

PATH = "/v1/vault/assignments"
pytestmark = pytest.mark.usefixtures("vault")


@pytest.fixture
def customer(catalogue: None) -> Customer:
    customer = make_customer()
    office = Office.objects.create(workspace=customer.workspace, slug="sales", name="Sales")
    Agent.objects.create(workspace=customer.workspace, office=office, name="Ada", created_at=AT)
    return customer


@pytest.fixture
def key(customer: Customer) -> Credential:
    return make_credential(customer.tenant, name="Main")


def named(key: Credential) -> str:
    return f"cred_{key.id.hex}"


def put(customer: Customer, *rows: dict[str, Any], **row: Any) -> Any:
    body = {"assignments": [{"provider": "openai"} | each for each in rows]} if rows else {"provider": "openai"} | row
    return call("PUT", PATH, customer.key, body)


def rows_of(customer: Customer) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = get(PATH, customer.key).json()["results"]
    return results


def test_tenant(customer: Customer, key: Credential) -> None:
    """K4: the answer and the list say which key it is by name and last four."""
    response = put(customer, scope="tenant", credential=named(key))
    row = Assignment.objects.get()
    shown = {
        "id": f"asg_{row.id.hex}",
        "scope": "tenant",
        "workspace": None,
        "office": None,
        "agent": None,
        "provider": "openai",
        "model": None,
        "credential": named(key),
        "credential_name": "Main",
        "last_four": key.versions.get().last_four,
        "health": "valid",
        "broken": False,
    }
    assert (response.status_code, response.json()) == (200, {"results": [shown], "removed": 0})
    assert rows_of(customer) == [shown]


def test_every_place(customer: Customer, key: Credential) -> None:
    """K4: workspace, office and agent, by slug, name or id, inside each other."""
    office, agent = Office.objects.get(), Agent.objects.get()
    ids = {"workspace": customer.workspace.id.hex, "credential": key.id.hex}
    for row, place in (
        ({"scope": "workspace", "workspace": "main", "credential": named(key)}, ("workspace", "main", None, None)),
        ({"scope": "office", "office": "sales", **ids}, ("office", "main", "sales", None)),
        ({"scope": "office", "office": str(office.id), **ids}, ("office", "main", "sales", None)),
        ({"scope": "agent", "agent": "Ada", **ids}, ("agent", "main", None, f"agt_{agent.id.hex}")),
        ({"scope": "agent", "agent": f"agt_{agent.id.hex}", **ids}, ("agent", "main", None, f"agt_{agent.id.hex}")),
    ):
        (made,) = put(customer, **row).json()["results"]
        assert tuple(made[name] for name in ("scope", "workspace", "office", "agent")) == place
    assert Assignment.objects.count() == 3


def test_models_and_the_platform(customer: Customer, key: Credential) -> None:
    """K7: own key for some models, the platform's for the others; the same again changes nothing."""
    for _ in range(2):
        put(customer, scope="tenant", models=["gpt-4o", "o3*"], credential=named(key))
        put(customer, scope="tenant", credential="platform")
    shown = {row["model"]: (row["credential"], row["last_four"], row["broken"]) for row in rows_of(customer)}
    last_four = key.versions.get().last_four
    assert shown == {
        "gpt-4o": (named(key), last_four, False),
        "o3*": (named(key), last_four, False),
        None: ("platform", None, False),
    }


def test_remove(customer: Customer, key: Credential) -> None:
    """K4: null takes away the rows that it names, no others; what is not there is no error."""
    put(customer, scope="tenant", models=["a", "b"], credential=named(key))
    put(customer, scope="tenant", credential=named(key))
    assert put(customer, scope="tenant", models=["a"], credential=None).json() == {"results": [], "removed": 1}
    assert put(customer, scope="tenant", credential=None).json()["removed"] == 1
    assert put(customer, scope="tenant", credential=None).json()["removed"] == 0
    assert [row["model"] for row in rows_of(customer)] == ["b"]
    log = AuditEvent.objects.filter(actor_key=customer.key.row).order_by("id").values_list("action", flat=True)
    assert list(log) == ["key_assignment.set"] * 2 + ["key_assignment.removed"] * 2


def test_all_or_nothing(customer: Customer, key: Credential) -> None:
    """F3: a list is refused by its rows, whoever finds what is wrong with them, and leaves no row behind."""
    good = {"scope": "tenant", "credential": named(key)}
    response = put(customer, good, {"scope": "agent", "workspace": "main", "agent": "Bob", "credential": named(key)})
    assert field_codes(response) == {"assignments.1.agent": "not-found"}
    response = put(customer, good, good | {"models": ["no model"]})
    assert field_codes(response) == {"assignments.1.models": "invalid"}
    response = put(customer, good, good | {"scope": "office"})
    assert field_codes(response) == {"assignments.1.workspace": "required", "assignments.1.office": "required"}
    assert not Assignment.objects.exists()
    assert len(put(customer, good, good | {"models": ["gpt-4o"]}).json()["results"]) == 2


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"scope": "planet"}, {"scope": "invalid-choice"}),
        ({"provider": "acme"}, {"provider": "unknown-provider"}),
        ({"provider": "ollama", "credential": "platform"}, {"credential": "invalid"}),
        ({"provider": "groq"}, {"credential": "other-provider"}),
        ({"credential": "cred_" + "0" * 32}, {"credential": "not-found"}),
        ({"credential": "x"}, {"credential": "not-found"}),
        ({"workspace": "main"}, {"workspace": "not-in-scope"}),
        ({"scope": "workspace", "workspace": "nowhere"}, {"workspace": "not-found"}),
        ({"scope": "workspace"}, {"workspace": "required"}),
        ({"scope": "office", "workspace": "main", "office": "nowhere"}, {"office": "not-found"}),
        ({"scope": "agent", "workspace": "main", "agent": "x", "office": "sales"}, {"office": "not-in-scope"}),
        ({"models": "gpt-4o"}, {"models": "not-a-list"}),
        ({"models": [""]}, {"models.0": "blank"}),
        ({"models": ["m"] * 101}, {"models": "max-length"}),
        ({"models": ["sk-proj-" + "a1" * 20]}, {"models.0": "holds-a-key"}),
        ({"model": "gpt-4o"}, {"model": "unknown-field"}),
    ],
)
def test_refused_assignments(
    customer: Customer, key: Credential, changes: dict[str, Any], codes: dict[str, str]
) -> None:
    """F3, K4: 400 with the field; nothing is assigned."""
    row = {"scope": "tenant", "credential": named(key)} | changes
    assert field_codes(put(customer, **row)) == codes
    assert not Assignment.objects.exists()


def test_what_is_missing(customer: Customer) -> None:
    """F3: a key must be said, if it is null; an empty list is none."""
    assert field_codes(put(customer, scope="tenant")) == {"credential": "required"}
    response = call("PUT", PATH, customer.key, {"assignments": []})
    assert field_codes(response) == {"assignments": "empty"}
    response = call("PUT", PATH, customer.key, {"assignments": [], "scope": "tenant"})
    assert field_codes(response)["scope"] == "unknown-field"


def test_nothing_of_other_tenants(customer: Customer, key: Credential) -> None:
    """F3, K4: neither their places nor their keys, nor the platform's by id."""
    other = make_customer()
    office = Office.objects.create(workspace=other.workspace, slug="theirs", name="Theirs")
    theirs, platforms = make_credential(other.tenant), make_credential(None)
    for credential in (theirs, platforms):
        assert field_codes(put(customer, scope="tenant", credential=named(credential))) == {"credential": "not-found"}
    row = {"scope": "workspace", "workspace": other.workspace.id.hex, "credential": named(key)}
    assert field_codes(put(customer, **row)) == {"workspace": "not-found"}
    row = {"scope": "office", "workspace": "main", "office": office.id.hex, "credential": named(key)}
    assert field_codes(put(customer, **row)) == {"office": "not-found"}
    make_assignment(other.tenant, theirs)
    assert rows_of(customer) == []


def test_names_of_agents(customer: Customer, key: Credential) -> None:
    """K4: a name that two live agents have is no name; a retired agent is none."""
    Agent.objects.create(workspace=customer.workspace, name="Ada", created_at=AT)
    row = {"scope": "agent", "workspace": "main", "agent": "Ada", "credential": named(key)}
    assert field_codes(put(customer, **row)) == {"agent": "ambiguous"}
    Agent.objects.update(retired_at=AT)
    assert field_codes(put(customer, **row)) == {"agent": "not-found"}


def test_what_a_retired_agent_has_is_removed(customer: Customer, key: Credential) -> None:
    """K4: by its id; nothing more is assigned to it."""
    agent = Agent.objects.get()
    make_assignment(customer.tenant, key, at_place=agent)
    Agent.objects.update(retired_at=AT)
    named_by_id = {"scope": "agent", "workspace": "main", "agent": f"agt_{agent.id.hex}"}
    assert field_codes(put(customer, **named_by_id, credential=named(key))) == {"agent": "not-found"}
    by_name = named_by_id | {"agent": "Ada"}
    assert field_codes(put(customer, **by_name, credential=None)) == {"agent": "not-found"}
    assert put(customer, **named_by_id, credential=None).json() == {"results": [], "removed": 1}
    assert not Assignment.objects.exists()


def test_broken_assignments_say_so(customer: Customer, key: Credential) -> None:
    """K4: disabled, found invalid or revoked: the row stays, and can be removed."""
    put(customer, scope="tenant", credential=named(key))
    Credential.objects.update(disabled_at=AT)
    assert [row["broken"] for row in rows_of(customer)] == [True]
    Credential.objects.update(disabled_at=None, health=Health.INVALID)
    assert [(row["broken"], row["health"]) for row in rows_of(customer)] == [(True, "invalid")]
    call("DELETE", f"/v1/vault/credentials/{named(key)}", customer.key)
    assert [(row["broken"], row["health"]) for row in rows_of(customer)] == [(True, "revoked")]
    assert field_codes(put(customer, scope="tenant", credential=named(key))) == {"credential": "not-found"}
    assert put(customer, scope="tenant", credential=None).json()["removed"] == 1


def test_pages(customer: Customer, key: Credential, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """F3: two queries whatever is assigned: the API key and the rows; the newest first."""
    for number in range(3):
        make_assignment(customer.tenant, key, f"m{number}")
    with django_assert_num_queries(2):
        first = get(f"{PATH}?limit=2", customer.key).json()
    second = get(f"{PATH}?limit=2&cursor={first['next']}", customer.key).json()
    assert [row["model"] for row in first["results"] + second["results"]] == ["m2", "m1", "m0"]
    assert second["next"] is None
