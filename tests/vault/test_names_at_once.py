"""Keys that are added at once and without names."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.vault.make import key_text
from vault.crypto.secret import Secret
from vault.services.add_credential import add_credential


@pytest.mark.usefixtures("own_vault", "providers")
def test_each_has_a_name_of_its_own() -> None:
    """K2: the first free ones, however often somebody else was faster."""
    tenant, barrier = make_tenant(), Barrier(8)

    def add(_number: int) -> str:
        try:
            connection.ensure_connection()
            barrier.wait()
            return add_credential(
                tenant_id=tenant.id, provider="openai", name="", plain=Secret(key_text()), actor=SYSTEM, at=AT
            ).name
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        names = sorted(pool.map(add, range(8)))
    assert names == ["OpenAI", *(f"OpenAI {number}" for number in range(2, 9))]
