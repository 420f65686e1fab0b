"""The tree of assignments in the console, and the question about a run (K4, K7)."""

import pytest

from tenants.models import Agent, Office
from tests.console.make import HTMX, QueryCount, make_client
from tests.make import AT, Customer, make_customer, make_workspace
from tests.vault.make import make_assignment, make_credential
from vault.models import Assignment

pytestmark = pytest.mark.usefixtures("vault")


def make_agent(customer: Customer) -> Agent:
    """Ada, of the office Support."""
    office = Office.objects.create(workspace=customer.workspace, slug="support", name="Support")
    return Agent.objects.create(workspace=customer.workspace, office=office, name="Ada", created_at=AT)


def test_tree_has_what_is_set_and_what_is_taken_over(customer: Customer) -> None:
    """K4, K7: only branches with something to show; farther lines are marked with where they come from."""
    make_workspace(customer.tenant, "idle", account=customer.account)
    agent = make_agent(customer)
    make_assignment(customer.tenant, make_credential(customer.tenant, name="Wide"))
    make_assignment(customer.tenant, None, "gpt-4o", at_place=agent)
    root = make_client(customer.tenant).get("/keys/assignments").context["page"].root
    (workspace,) = root.children
    (office,) = workspace.children
    (ada,) = office.children
    assert [node.place.name for node in (workspace, office, ada)] == ["Main", "Support", "Ada"]
    assert [(line.models_text, line.origin, line.source) for line in ada.lines] == [
        ("gpt-4o", "", "platform"),
        ("All other models", customer.tenant.name, "byok"),
    ]


def test_broken_line_says_so_and_goes_with_one_click(customer: Customer) -> None:
    """K4: a revoked key stops runs; removing it is a POST without a question."""
    key = make_credential(customer.tenant, name="Bad", health="invalid")
    make_assignment(customer.tenant, key, "gpt-4o", at_place=customer.workspace)
    client = make_client(customer.tenant)
    page = client.get("/keys/assignments")
    (line, _) = page.context["page"].root.children[0].lines
    assert (line.is_broken, line.source) == (True, "platform")
    assert "the platform's key stand in" in line.note
    place = f"workspace:{customer.workspace.id.hex}"
    client.post("/keys/assignments/remove", {"place": place, "provider": "openai", "model": "gpt-4o"})
    assert not Assignment.objects.exists()


def test_place_is_put_on_a_key(customer: Customer) -> None:
    """K4: the form, then the tree; a key of another tenant is no choice, nor is its workspace."""
    key = make_credential(customer.tenant)
    other = make_customer("free")
    client = make_client(customer.tenant)
    place = f"workspace:{customer.workspace.id.hex}"
    url = f"/keys/assignments/set?provider=openai&place={place}"
    assert client.get(url).context["page"].form["place"].value() == place
    fields = {"place": place, "credential": key.id.hex, "which": "all"}
    foreign = make_credential(other.tenant).id.hex
    assert client.post(url, fields | {"credential": foreign}).status_code == 422
    assert client.post(url, fields | {"place": f"workspace:{other.workspace.id.hex}"}).status_code == 422
    assert client.post(url, fields).status_code == 302
    assert Assignment.objects.get().credential_id == key.id


def test_some_models_have_to_be_named(customer: Customer) -> None:
    """K7: 422, at the field."""
    client = make_client(customer.tenant)
    fields = {"place": "tenant", "credential": "platform", "which": "some"}
    response = client.post("/keys/assignments/set?provider=openai", fields)
    assert response.status_code == 422
    assert "named" in response.context["page"].form.errors


def test_foreign_place_is_not_found(customer: Customer) -> None:
    """F4: nothing of another tenant is removed."""
    other = make_customer("free")
    make_assignment(other.tenant, None, at_place=other.workspace)
    place = f"workspace:{other.workspace.id.hex}"
    client = make_client(customer.tenant)
    for value in (place, "agent:nonsense", ""):
        assert client.post("/keys/assignments/remove", {"place": value, "provider": "openai"}).status_code == 404
    assert Assignment.objects.count() == 1


def test_which_key_would_a_run_be_on(customer: Customer) -> None:
    """K4: the decision and its reason in words, as runs are decided."""
    agent = make_agent(customer)
    key = make_credential(customer.tenant, name="Office")
    make_assignment(customer.tenant, key, at_place=agent.office)
    client = make_client(customer.tenant)
    asked = {"place": f"agent:{agent.id.hex}", "provider": "openai", "model": "gpt-4o"}
    answer = client.get("/keys/which", asked, headers=HTMX)
    assert "<html" not in answer.text
    assert "Your key “Office”" in answer.text
    assert "assigned to its office" in answer.text
    asked["provider"] = "anthropic"
    assert client.get("/keys/which", asked).context["page"].answer.source == "platform"
    assert client.get("/keys/which").context["page"].answer is None


def test_queries_of_the_tree(customer: Customer, django_assert_max_num_queries: QueryCount) -> None:
    """K4: the same for any number of assignments."""
    agent = make_agent(customer)
    key = make_credential(customer.tenant)
    for place in (None, customer.workspace, agent.office, agent):
        for number in range(4):
            make_assignment(customer.tenant, key, f"model-{number}", at_place=place)
    client = make_client(customer.tenant)
    with django_assert_max_num_queries(34):
        client.get("/keys/assignments")
