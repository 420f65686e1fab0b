"""What a key that is added takes the place of: asked for, and told (K4)."""

import re
from html import unescape

import pytest

from sandbox.providers.process import ProvidersSandbox
from tests.console.make import make_client
from tests.make import Customer
from tests.vault.make import key_text, make_assignment, make_credential
from vault.models import Assignment, Credential

pytestmark = pytest.mark.usefixtures("vault")
PATH = "/keys/add/openai"


def chosen(page: str) -> str:
    """The place that the form proposes."""
    found = re.search(r'<option value="([^"]*)"[^>]* selected', page)
    return found[1] if found is not None else ""


def add(customer: Customer, **more: str) -> str:
    fields = {"api_key": key_text(state="tenant"), "which": "all", "name": "New"} | more
    return unescape(make_client(customer.tenant).post(PATH, fields, follow=True).text)


def test_nothing_is_replaced_unasked(customer: Customer) -> None:
    """K4: the whole tenant is proposed only while it has no key for the provider."""
    client = make_client(customer.tenant)
    make_assignment(customer.tenant, make_credential(customer.tenant, "groq", name="Elsewhere"))
    assert chosen(client.get(PATH).text) == "tenant"
    make_assignment(customer.tenant, make_credential(customer.tenant, name="Main"))
    page = unescape(client.get(PATH).text)
    assert chosen(page) == "none"
    assert f"All of {customer.tenant.name}: has “Main” (…{key_text()[-4:]})" in page
    assert "Elsewhere" not in page


def test_what_a_place_has_is_said_of_it(customer: Customer) -> None:
    """K4, K7: of a workspace, with the platform's key on purpose, and for some models alone."""
    make_assignment(customer.tenant, None, at_place=customer.workspace)
    make_assignment(customer.tenant, make_credential(customer.tenant, name="Some"), "gpt-4o")
    page = unescape(make_client(customer.tenant).get(PATH).text)
    assert "All of Main: has the platform's key" in page
    assert f"has “Some” (…{key_text()[-4:]}) for some models" in page


def test_message_tells_what_was_replaced(customer: Customer, providers: ProvidersSandbox) -> None:
    """K4: the key that runs were on, by its name and last characters."""
    make_assignment(customer.tenant, make_credential(customer.tenant, name="Old"))
    said = f"It replaces “Old” (…{key_text()[-4:]}) for {customer.tenant.name}."
    assert said not in add(customer, place="tenant", which="some", named="gpt-4o")
    assert said in add(customer, place="tenant", name="Newer")
    assert Assignment.objects.get(model="").credential == Credential.objects.get(name="Newer")
    assert "replaces" not in add(customer, place="none", name="Third")
