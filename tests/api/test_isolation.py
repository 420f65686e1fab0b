"""Who sees what: every endpoint against every kind of stranger."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from billing.credits.models import TopUp
from billing.credits.services.open_top_up import open_top_up
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.runtime.models import Session
from billing.runtime.requests import AuthorizationRequest
from billing.runtime.services.authorize import authorize
from billing.runtime.services.open_session import open_session
from billing.subscriptions.models import Subscription
from billing.usage.models import KnowledgeSource, UsageEvent
from tenants.api_keys import generate_key
from tenants.models import Agent, ApiKey
from tenants.permissions import Permission
from tests.api.calls import call, refusal
from tests.api.endpoints import ENDPOINTS, NAMING_A_WORKSPACE, NAMING_AN_OBJECT, OBJECTS, RUN, VAULT, WEBHOOKS, Endpoint
from tests.invoices.issued import issue
from tests.make import AT, Customer, Key, make_api_key, make_customer, make_workspace
from tests.notifications.make import make_delivery, make_endpoint
from tests.vault.make import make_credential
from vault.models import Assignment, Credential, CredentialVersion, KeyPolicy, SealedText

INVALID_KEYS = (
    (None, "authentication-required"),
    ("", "authentication-required"),
    ("Bearer", "authentication-required"),
    ("Basic cXVhZXN0b3I6eA==", "authentication-required"),
    ("Bearer nonsense", "invalid-api-key"),
    ("Bearer qk_" + "0" * 38, "invalid-api-key"),
    ("Bearer " + "ä" * 41, "invalid-api-key"),
    (f"Bearer {generate_key()}", "invalid-api-key"),
)
every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)


@dataclass(frozen=True)
class World:
    """A customer with one object of each kind."""

    customer: Customer
    agent: str
    source: str
    run: str
    topup: str
    invoice: str
    credential: str
    session: str
    webhook: str
    delivery: str

    def names(self, **changes: str) -> dict[str, str]:
        return {name: getattr(self, name) for name in OBJECTS} | changes

    def call(self, endpoint: Endpoint, key: Key | None, **changes: str) -> Any:
        return call(endpoint.method, endpoint.at(**self.names(**changes)), key, endpoint.body)


def make_world() -> World:
    customer = make_customer(balance="10")
    run = AuthorizationRequest(**RUN | {"idempotency_key": "first"})
    webhook = make_endpoint(customer.tenant)
    return World(
        customer,
        agent=f"agt_{Agent.objects.create(workspace=customer.workspace, name='Ada').id.hex}",
        source=f"kbs_{KnowledgeSource.objects.create(workspace=customer.workspace, name='a', bytes=1).id.hex}",
        run=authorize(caller=customer.key.caller, request=run, at=now()).id,
        topup=f"top_{make_top_up(customer).id.hex}",
        invoice=f"inv_{issue(customer.account).id.hex}",
        credential=f"cred_{make_credential(customer.tenant).id.hex}",
        session=f"ses_{make_session(customer).id.hex}",
        webhook=f"whe_{webhook.id.hex}",
        delivery=f"whd_{make_delivery(webhook).id.hex}",
    )


def make_session(customer: Customer) -> Session:
    session, _ = open_session(
        account_id=customer.account.id,
        tenant_id=customer.tenant.id,
        workspace_id=customer.workspace.id,
        name="nightly",
        at=now(),
    )
    return session


def make_top_up(customer: Customer) -> TopUp:
    return open_top_up(account_id=customer.account.credits_id, amount=Decimal(20), fee=Decimal(1), at=now())


@pytest.fixture
def world(catalogue: None, vault: None, providers: None) -> World:
    return make_world()


def counts() -> tuple[int, ...]:
    live = (
        Agent.objects.filter(retired_at=None),
        KnowledgeSource.objects.filter(removed_at=None),
        Credential.objects.filter(revoked_at=None, disabled_at=None),
        Session.objects.filter(state="running"),
        WebhookEndpoint.objects.filter(state="enabled"),
    )
    kinds = (UsageEvent, TopUp, Subscription, CredentialVersion, Assignment, KeyPolicy, WebhookDelivery, SealedText)
    return (*(rows.count() for rows in live), *(kind.objects.count() for kind in kinds))


@every_endpoint
def test_right_key(world: World, endpoint: Endpoint) -> None:
    """F3: each of the scopes opens the endpoint by itself."""
    for number, scope in enumerate(sorted(endpoint.scopes)):
        made = make_world() if number and endpoint.method != "GET" else world
        response = made.call(endpoint, make_api_key(made.customer.tenant, scope))
        assert response.status_code == endpoint.status, (scope, response.content)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.scopes != set(Permission)], ids=str)
def test_other_scopes(world: World, endpoint: Endpoint) -> None:
    """F3: all other scopes together do not open it: 403, with the scopes that would."""
    before = counts()
    key = make_api_key(world.customer.tenant, *set(Permission) - endpoint.scopes)
    response = world.call(endpoint, key)
    assert refusal(response) == (403, "insufficient-scope")
    assert all(scope in response.json()["detail"] for scope in endpoint.scopes)
    assert counts() == before


@every_endpoint
def test_no_valid_key(world: World, endpoint: Endpoint) -> None:
    """F3: without a valid key nothing answers, and the refusal says how to send one."""
    before = counts()
    path = endpoint.at(**world.names())
    for header, code in INVALID_KEYS:
        headers = {} if header is None else {"Authorization": header}
        response = call(endpoint.method, path, None, endpoint.body, **headers)
        assert refusal(response) == (401, code), header
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="quaestor"'
    assert counts() == before


@every_endpoint
def test_revoked_key(world: World, endpoint: Endpoint) -> None:
    """F3: a revoked key is told that it is."""
    ApiKey.objects.update(revoked_at=AT)
    assert refusal(world.call(endpoint, world.customer.key)) == (401, "revoked-api-key")


@pytest.mark.parametrize("endpoint", NAMING_A_WORKSPACE, ids=str)
def test_foreign_workspace(world: World, endpoint: Endpoint) -> None:
    """F3: another tenant's workspace is 404 like one that does not exist, by slug and by id."""
    stranger = make_customer().key
    theirs = make_workspace(world.customer.tenant, "theirs", account=world.customer.account)
    before = counts()
    answers = [world.call(endpoint, stranger, workspace=name) for name in ("theirs", str(theirs.id), "nowhere")]
    assert [refusal(answer) for answer in answers] == [(404, "not-found")] * 3
    assert len({answer.content for answer in answers}) == 1
    assert counts() == before


@pytest.mark.parametrize("endpoint", NAMING_A_WORKSPACE, ids=str)
def test_odd_names_of_workspaces(world: World, endpoint: Endpoint) -> None:
    """F3: whatever stands for a workspace is 404 or a bad parameter, never 500."""
    for name in ("%20", "a%2Fb", "x" * 100, "%F0%9F%92%A3", "..", "'--", "{main}"):
        assert world.call(endpoint, world.customer.key, workspace=name).status_code in {400, 404}, name


def test_nul_in_an_address(world: World) -> None:
    """F3: a character that PostgreSQL cannot store names nothing."""
    for path in ("workspaces/%00/agents", "workspaces/main/agents/%00", "workspaces/a%00b/billing/plans"):
        method = "DELETE" if path.endswith("/%00") else "GET"
        assert refusal(call(method, f"/v1/{path}", world.customer.key)) == (404, "not-found")


@pytest.mark.parametrize("endpoint", NAMING_A_WORKSPACE, ids=str)
def test_bound_key_elsewhere(world: World, endpoint: Endpoint) -> None:
    """F3: a key of one workspace sees no other one of its own tenant."""
    other = make_workspace(world.customer.tenant, "other", account=world.customer.account)
    bound = make_api_key(world.customer.tenant, workspace=other)
    before = counts()
    assert refusal(world.call(endpoint, bound)) == (404, "not-found")
    assert counts() == before


@pytest.mark.parametrize("endpoint", VAULT + WEBHOOKS, ids=str)
def test_bound_key_and_what_is_the_tenants(world: World, endpoint: Endpoint) -> None:
    """K10, N1: provider keys and webhooks are the tenant's: a key of one workspace is refused, whatever its scopes."""
    bound = make_api_key(world.customer.tenant, workspace=world.customer.workspace)
    before = counts()
    assert refusal(world.call(endpoint, bound)) == (403, "insufficient-scope")
    assert counts() == before


@pytest.mark.parametrize("endpoint", NAMING_AN_OBJECT, ids=str)
def test_foreign_object(world: World, endpoint: Endpoint) -> None:
    """F3: an object of another tenant, or of another workspace, is 404 in one's own."""
    mine = make_customer().key
    make_workspace(world.customer.tenant, "other", account=world.customer.account)
    before = counts()
    assert refusal(world.call(endpoint, mine)) == (404, "not-found")
    if "{ws}" in endpoint.path:
        assert refusal(world.call(endpoint, world.customer.key, workspace="other")) == (404, "not-found")
    assert counts() == before


@pytest.mark.parametrize("endpoint", NAMING_AN_OBJECT, ids=str)
def test_odd_names_of_objects(world: World, endpoint: Endpoint) -> None:
    """F3: what is no id is 404."""
    for name in (
        "1",
        "agt_",
        "agt_" + "0" * 32,
        "kbs_" + "G" * 32,
        "top_" + "0" * 32,
        "cred_" + "0" * 32,
        "ses_" + "0" * 32,
        "whe_" + "0" * 32,
        "%20",
        "x" * 500,
    ):
        names = dict.fromkeys(OBJECTS, name)
        response = world.call(endpoint, world.customer.key, **names)
        assert refusal(response) == (404, "not-found"), name


@pytest.mark.parametrize("path", ["settle", "void"])
def test_foreign_run(world: World, path: str) -> None:
    """F3: another tenant's run is 404."""
    endpoint = next(one for one in ENDPOINTS if one.path.endswith(path))
    assert refusal(world.call(endpoint, make_customer().key)) == (404, "not-found")
