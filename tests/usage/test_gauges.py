"""Gauges of agents and knowledge base, under real concurrency and beside moving workspaces."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from billing.core.problems import Problem
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.usage.gauges import live_agents, stored_bytes
from billing.usage.services.add_source import add_source
from billing.usage.services.create_agent import create_agent
from billing.usage.services.retire_agent import retire_agent
from tenants.models import Agent
from tests.make import AT, Customer, make_account, make_customer, make_tenant, make_workspace

THREADS = 8


def limited(feature: str, value: int) -> Customer:
    customer = make_customer("free")
    override_entitlement(account_id=customer.account.id, feature=feature, value=value, reason="test", at=AT)
    return customer


def at_once(action: Callable[[int], object]) -> Counter[str]:
    """Run an action in eight threads that start together, each on a connection of its own; count what came of it."""
    barrier = Barrier(THREADS)

    def run(number: int) -> str:
        try:
            connection.ensure_connection()
            barrier.wait()
            action(number)
        except Problem as refusal:
            return refusal.code
        except Agent.DoesNotExist:
            return "absent"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(run, range(THREADS)))


@pytest.mark.usefixtures("own_database")
def test_agents_at_once() -> None:
    """P6: of eight that come at the same moment, into two workspaces of one account, a limit of five lets in five."""
    customer = limited("agents_limit", 5)
    rooms = customer.workspace, make_workspace(customer.tenant, "other", account=customer.account)
    outcome = at_once(lambda n: create_agent(workspace_id=rooms[n % 2].id, name=f"{n}", office="one", at=AT))
    assert outcome == {"done": 5, "quota-exceeded-agents": 3}
    assert live_agents(customer.account.id) == 5


@pytest.mark.usefixtures("own_database")
def test_sources_at_once() -> None:
    """P6: stored bytes never exceed the limit, however many come at the same moment."""
    customer = limited("kb_storage_bytes_limit", 50)
    outcome = at_once(lambda n: add_source(workspace_id=customer.workspace.id, name=f"{n}", size=12, at=AT))
    assert outcome == {"done": 4, "quota-exceeded-kb-storage": 4}
    assert stored_bytes(customer.account.id) == 48


@pytest.mark.usefixtures("own_database")
def test_retired_once() -> None:
    """P6: of eight that retire one agent, one does."""
    customer = make_customer()
    agent = create_agent(workspace_id=customer.workspace.id, name="Ada", at=AT)
    outcome = at_once(lambda _: retire_agent(workspace_id=customer.workspace.id, agent_id=agent.id, at=AT))
    assert outcome == {"done": 1, "absent": 7}


@pytest.mark.usefixtures("own_database")
def test_beside_a_moving_workspace() -> None:
    """P6, P11: agents that come while their workspace moves to another account count for the one that has it."""
    customer = limited("agents_limit", 2)
    second = make_account(customer.tenant, "free", name="Second", is_default=False)

    def act(number: int) -> None:
        if number == 0:
            attach_workspace(workspace_id=customer.workspace.id, account_id=second.id)
        else:
            create_agent(workspace_id=customer.workspace.id, name=f"{number}", at=AT)

    outcome = at_once(act)
    assert live_agents(customer.account.id) == 0
    # Two by the first account's limit if all came before the move, three by the second one's if any came after.
    assert live_agents(second.id) == outcome["done"] - 1
    assert live_agents(second.id) in {2, 3}


@pytest.mark.usefixtures("catalogue")
def test_other_accounts_do_not_count() -> None:
    """P11: each account has a gauge of its own."""
    customer = limited("agents_limit", 1)
    second = make_account(customer.tenant, "free", name="Second", is_default=False)
    room = make_workspace(customer.tenant, "second", account=second)
    create_agent(workspace_id=customer.workspace.id, name="a", at=AT)
    create_agent(workspace_id=room.id, name="b", at=AT)
    assert (live_agents(customer.account.id), live_agents(second.id)) == (1, 1)


@pytest.mark.usefixtures("db")
def test_nobody_pays() -> None:
    """P11: nothing is registered in a workspace that no account pays for."""
    room = make_workspace(make_tenant())
    with pytest.raises(NoActivePlan):
        create_agent(workspace_id=room.id, name="a", at=AT)
    assert not Agent.objects.exists()
