"""A revocation holds in every process at once: hand-outs on a connection of their own, beside the one that revokes."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant, make_workspace
from tests.vault.make import key_text, make_credential
from tests.vault.test_hand_out import hand, run_on
from vault.errors import NotUsable
from vault.models import CredentialAccess
from vault.services.change_credential import change_credential
from vault.services.revoke_credential import revoke_credential

pytestmark = pytest.mark.usefixtures("own_vault")


@contextmanager
def _elsewhere() -> Iterator[ThreadPoolExecutor]:
    """A thread with a connection of its own, as another process has one."""
    with ThreadPoolExecutor(1) as pool:
        yield pool
        pool.submit(connections.close_all).result()


def test_stale_cache_resurrects_a_revoked_key() -> None:
    """K8: a process that has just handed the key out refuses once the other's revocation is committed."""
    workspace = make_workspace(make_tenant())
    key = make_credential(workspace.tenant)
    run = run_on(key, workspace)
    with _elsewhere() as other:
        assert other.submit(hand, run).result().secret.reveal() == key_text()
        revoke_credential(tenant_id=workspace.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)
        with pytest.raises(NotUsable):
            other.submit(hand, run).result()
        second = make_credential(workspace.tenant)
        other.submit(hand, run_on(second, workspace)).result()
        change_credential(tenant_id=workspace.tenant_id, credential_id=second.id, disabled=True, actor=SYSTEM, at=AT)
        with pytest.raises(NotUsable):
            other.submit(hand, run_on(second, workspace)).result()
    assert CredentialAccess.objects.count() == 2


def test_revocation_under_way() -> None:
    """K8: a hand-out that has read the key waits for a revocation that is being committed, and sees it."""
    workspace = make_workspace(make_tenant())
    key = make_credential(workspace.tenant)
    ready = Event()

    def attempt() -> UUID:
        connection.ensure_connection()
        ready.set()
        return hand(run_on(key, workspace)).credential_id

    with _elsewhere() as other:
        waiting: Future[UUID]
        with transaction.atomic():
            revoke_credential(tenant_id=workspace.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)
            waiting = other.submit(attempt)
            ready.wait()
            _wait_for_a_blocked_connection()
        with pytest.raises(NotUsable):
            waiting.result()
    assert not CredentialAccess.objects.exists()


def _wait_for_a_blocked_connection() -> None:
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                "SELECT pid FROM pg_locks WHERE NOT granted AND pid IN"
                " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
            )
            if cursor.fetchone() is not None:
                return
            time.sleep(0.01)
    raise AssertionError("Nobody waits.")
