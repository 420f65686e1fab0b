"""Keys are handed out, added and rotated while processes re-wrap and replace their data keys and are killed (K8)."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now

from sandbox.providers.process import ProvidersSandbox
from tenants.models import Workspace
from tenants.services.record_audit import SYSTEM
from tests.make import make_tenant, make_workspace
from tests.vault.make import key_text, make_credential
from vault.crypto.secret import Secret
from vault.data_keys import forget_data_keys
from vault.models import Credential, CredentialVersion, DataKey, KeyEncryptionKey
from vault.sealing import unseal
from vault.services.activate_kek import activate_kek
from vault.services.add_credential import add_credential
from vault.services.check_vault import check_vault
from vault.services.create_kek import create_kek
from vault.services.hand_out import RunToHandOut, hand_out
from vault.services.rotate_credential import rotate_credential

TEXTS = [key_text("openai", state) for state in ("valid", "tenant", "tenant-2")]
_DRIVE = """
import django
django.setup()
from tests.vault.rotation_driver import rewrap_and_rotate
rewrap_and_rotate(step=6, together=2)
"""


class Load:
    """What happens meanwhile, by threads of this process, and which text each key has by now."""

    def __init__(self, workspaces: list[Workspace]) -> None:
        self.workspaces = workspaces
        self.is_over = Event()
        self.lock = Lock()
        self.texts: dict[UUID, set[str]] = {}
        self.latest: dict[UUID, str] = {}
        self.places: dict[UUID, Workspace] = {}
        for workspace in workspaces:
            self.know(make_credential(workspace.tenant, at=now()), workspace, key_text())

    def know(self, key: Credential, workspace: Workspace, text: str) -> None:
        with self.lock:
            self.texts.setdefault(key.id, set()).add(text)
            self.places[key.id], self.latest[key.id] = workspace, text

    def read(self) -> None:
        key_id = random.choice(list(self.places))
        with self.lock:
            workspace = self.places[key_id]
        run = RunToHandOut(
            run_id=key_id,
            tenant_id=workspace.tenant_id,
            workspace_id=workspace.id,
            office="",
            agent="",
            provider="openai",
            model="gpt-4o",
            credential_source="byok",
            credential_id=key_id,
        )
        text = hand_out(run=run, actor=SYSTEM, at=now()).secret.reveal()
        with self.lock:
            assert text in self.texts[key_id]

    def add(self) -> None:
        workspace, text = random.choice(self.workspaces), random.choice(TEXTS)
        key = add_credential(
            tenant_id=workspace.tenant_id, provider="openai", name="", plain=Secret(text), actor=SYSTEM, at=now()
        )
        self.know(key, workspace, text)

    def rotate(self) -> None:
        key_id, text = random.choice(list(self.places)), random.choice(TEXTS)
        with self.lock:
            workspace = self.places[key_id]
            self.texts[key_id].add(text)
        rotate_credential(
            tenant_id=workspace.tenant_id,
            credential_id=key_id,
            plain=Secret(text),
            overlap=None,
            actor=SYSTEM,
            at=now(),
        )
        self.latest[key_id] = text

    def repeat(self, work: Callable[[], None], pause: float) -> int:
        """How often it succeeded until the end, with a pause in seconds; its first failure ends it."""
        times = 0
        try:
            while not self.is_over.wait(pause):
                work()
                times += 1
        finally:
            connection.close()
        return times


def drive() -> list[int]:
    """How often re-wrapping and replacing were killed before they got through."""
    server, _, query = os.environ["DATABASE_URL"].partition("?")
    url = f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")
    driver = subprocess.run(
        [sys.executable, "-c", _DRIVE],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "VAULT_KEK_DIR": settings.VAULT_KEK_DIR},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return [int(word) for word in driver.stdout.split()]


@pytest.mark.usefixtures("own_vault")
def test_rotation_under_load_loses_no_call(providers: ProvidersSandbox) -> None:
    """K8: no call fails, however often the rotating processes are killed; in the end all is whole and moved."""
    load = Load([make_workspace(make_tenant()) for _ in range(24)])
    create_kek(name="next", backend="local", location="", at=now())
    activate_kek(name="next", at=now())
    first_data_keys = set(DataKey.objects.values_list("id", flat=True))
    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(load.repeat, load.read, 0.005) for _ in range(2)]
        works += [pool.submit(load.repeat, work, 0.05) for work in (load.add, load.rotate)]
        try:
            kills = drive()
        finally:
            load.is_over.set()
        assert min(work.result() for work in works) > 3
    assert min(kills) >= 1
    assert_moved(first_data_keys)
    forget_data_keys()
    for version in CredentialVersion.objects.filter(number=1).select_related("credential"):
        key = version.credential
        current = CredentialVersion.objects.get(credential=key, number=key.current_number)
        assert unseal(key, current, tenant_id=key.tenant_id).reveal() == load.latest[key.id]


def assert_moved(first_data_keys: set[UUID]) -> None:
    """Nothing is left under the old keys, and everything can be read."""
    call_command("retire_kek", "test")
    assert KeyEncryptionKey.objects.get(name="test").state == "retired"
    left = DataKey.objects.filter(id__in=first_data_keys, destroyed_at=None)
    assert left.count() == 0
    assert check_vault() == []
