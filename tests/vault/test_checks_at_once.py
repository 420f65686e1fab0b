"""Checks beside each other, beside rotations, and without a transaction while a provider takes its time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections

from sandbox.providers.process import ProvidersSandbox
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.vault.make import fresh, key_text, make_credential
from vault.crypto.secret import Secret
from vault.models import CredentialAccess
from vault.services.ask_provider import ask_provider
from vault.services.check_due import check_due
from vault.services.rotate_credential import rotate_credential
from vault.services.validate_credential import apply_if_unchanged

pytestmark = pytest.mark.usefixtures("own_vault")


def test_workers_share_the_keys(providers: ProvidersSandbox) -> None:
    """K9: each key is checked once, by one of them."""
    tenant = make_tenant()
    keys = [make_credential(tenant) for _ in range(9)]
    barrier = Barrier(3)

    def work(_number: int) -> int:
        connection.ensure_connection()
        barrier.wait()
        try:
            return check_due(at=AT)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(work, range(3)))
    assert sum(done) == len(keys) == len(providers.calls()) == CredentialAccess.objects.count()


def test_verdict_on_a_text_that_was_replaced_meanwhile(providers: ProvidersSandbox) -> None:
    """K8, K9: what was asked about the old one says nothing of the new one."""
    key = make_credential(make_tenant(), text=key_text("openai", "invalid"))
    verdict = ask_provider(key=key, actor=SYSTEM, at=AT)
    assert verdict.health == "invalid"
    rotate_credential(
        tenant_id=key.tenant_id,
        credential_id=key.id,
        plain=Secret(key_text()),
        overlap=timedelta(0),
        actor=SYSTEM,
        at=AT,
    )
    apply_if_unchanged(seen=key, verdict=verdict, at=AT)
    assert fresh(key).health == "valid"


def test_no_row_is_locked_while_a_provider_takes_its_time(providers: ProvidersSandbox) -> None:
    """K9: whoever wants the key's row meanwhile has it."""
    key = make_credential(make_tenant())
    providers.fault("slow", provider="openai", seconds=1.5)

    def work() -> int:
        try:
            return check_due(at=AT)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        checking = pool.submit(work)
        while not CredentialAccess.objects.exists():
            pass
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            cursor.execute("UPDATE vault_credential SET weight = 2 WHERE id = %s", [key.id])
        assert not checking.done()
        assert checking.result() == 1
    assert (fresh(key).weight, fresh(key).health) == (2, "valid")
