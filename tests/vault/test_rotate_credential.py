"""Rotation with an overlap: a new text, the old one to go back to, and its end."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from sandbox.providers.process import ProvidersSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.vault.make import fresh, key_text, make_credential
from vault.crypto.secret import Secret
from vault.errors import ChangedMeanwhile, InvalidValue, KeyRejected, NothingToRestore, NotUsable, ProviderUnreachable
from vault.models import Credential, CredentialVersion
from vault.queries import find_credential
from vault.sealing import unseal
from vault.services.change_credential import change_credential
from vault.services.end_overlaps import end_overlaps
from vault.services.restore_version import restore_version
from vault.services.revoke_credential import revoke_credential
from vault.services.rotate_credential import rotate_credential

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def key(vault: object, providers: ProvidersSandbox) -> Credential:
    return make_credential(make_tenant())


def rotate(key: Credential, text: str = "", **changed: Any) -> Credential:
    plain = Secret(text or key_text("openai", "tenant"))
    values = {"plain": plain, "overlap": None, "actor": SYSTEM, "at": AT} | changed
    return rotate_credential(tenant_id=key.tenant_id, credential_id=key.id, **values)


def restore(key: Credential, hours: int = 1) -> Credential:
    return restore_version(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT + hours * HOUR)


def versions(key: Credential) -> Sequence[tuple[int, object, bool]]:
    """Number, end of the overlap, and whether there is a text; the oldest first."""
    rows = CredentialVersion.objects.filter(credential=key).order_by("number")
    return [(row.number, row.overlap_ends_at, bool(bytes(row.ciphertext))) for row in rows]


def current_text(key: Credential) -> str:
    now = fresh(key)
    version = CredentialVersion.objects.get(credential=key, number=now.current_number)
    return unseal(now, version, tenant_id=now.tenant_id).reveal()


def test_new_text_takes_over(key: Credential) -> None:
    """K8: the old one is kept for the usual time; its known end is forgotten."""
    change_credential(tenant_id=key.tenant_id, credential_id=key.id, expires_at=AT + 3 * DAY, actor=SYSTEM, at=AT)
    rotated = rotate(key)
    assert (rotated.current_number, rotated.health, rotated.expires_at) == (2, "valid", None)
    assert versions(key) == [(1, AT + DAY, True), (2, None, True)]
    assert current_text(key) == key_text("openai", "tenant")
    previous = find_credential(key.tenant_id, key.id).previous
    assert previous is not None
    assert previous.number == 1
    line = AuditEvent.objects.order_by("-id")[0]
    assert line.action == "credential.rotated"
    assert line.detail["last_four"] == key_text("openai", "tenant")[-4:]


def test_no_overlap_erases_at_once(key: Credential) -> None:
    """K8: for a text that has leaked."""
    rotate(key, overlap=timedelta(0))
    assert versions(key) == [(1, None, False), (2, None, True)]
    with pytest.raises(NothingToRestore):
        restore(key)


def test_overlap_ends(key: Credential) -> None:
    """K8: the text is erased; the one in use never is."""
    rotate(key, overlap=HOUR)
    assert [end_overlaps(at=AT + timedelta(minutes=59)), end_overlaps(at=AT + HOUR), end_overlaps(at=AT + HOUR)] == [
        0,
        1,
        0,
    ]
    assert versions(key) == [(1, None, False), (2, None, True)]
    with pytest.raises(NothingToRestore):
        restore(key)


def test_going_back_and_forth(key: Credential) -> None:
    """K8: the newer one is kept in its turn, and the next rotation counts on."""
    rotate(key)
    restored = restore(key)
    assert (restored.current_number, restored.health, restored.next_check_at) == (1, "unverified", AT + HOUR)
    assert versions(key) == [(1, None, True), (2, AT + HOUR + DAY, True)]
    assert restore(key, hours=2).current_number == 2
    assert rotate(key, key_text("openai", "tenant-2"), at=AT + 3 * HOUR).current_number == 3
    assert [version[1] for version in versions(key)] == [AT + 2 * HOUR + DAY, AT + 3 * HOUR + DAY, None]
    assert restore(key, hours=4).current_number == 2
    lines = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert [line.removeprefix("credential.") for line in lines] == [
        "rotated",
        "restored",
        "restored",
        "rotated",
        "restored",
    ]


def offered(key: Credential) -> int | None:
    """What the key's page offers to go back to."""
    previous = find_credential(key.tenant_id, key.id).previous
    return previous.number if previous is not None else None


def test_going_back_to_what_was_in_use_before(key: Credential) -> None:
    """K8: not to a newer text that was backed out of before, also where all happens in one moment."""
    rotate(key)
    restore(key, hours=0)
    rotate(key, key_text("openai", "tenant-2"))
    assert (fresh(key).current_number, offered(key)) == (3, 1)
    assert restore(key, hours=0).current_number == 1
    assert (current_text(key), offered(key)) == (key_text(), 3)


def test_nothing_older_is_offered_for_what_is_erased(key: Credential) -> None:
    """K8: an older text that is still kept is not what was in use before."""
    rotate(key)
    rotate(key, key_text("openai", "tenant-2"), overlap=timedelta(0), at=AT + HOUR)
    assert [(number, text) for number, _, text in versions(key)] == [(1, True), (2, False), (3, True)]
    assert offered(key) is None
    with pytest.raises(NothingToRestore):
        restore(key, hours=2)


def test_nothing_backed_out_of_is_offered_for_what_is_erased(key: Credential) -> None:
    """K8: a text that did not prove itself does not come back by itself."""
    rotate(key)
    restore(key)
    rotate(key, key_text("openai", "tenant-2"), overlap=timedelta(0), at=AT + 2 * HOUR)
    assert offered(key) is None
    with pytest.raises(NothingToRestore):
        restore(key, hours=3)


def test_end_comes_back_with_its_text(key: Credential) -> None:
    """K8, K9: each text has its own; one that is over by then is said at once."""
    change = {"tenant_id": key.tenant_id, "credential_id": key.id, "actor": SYSTEM, "at": AT}
    change_credential(**change, expires_at=AT + 2 * HOUR)
    rotate(key)
    change_credential(**change, expires_at=AT + 40 * DAY)
    restored = restore(key)
    assert (restored.expires_at, restored.health) == (AT + 2 * HOUR, "unverified")
    forth = restore(key, hours=2)
    assert forth.expires_at == AT + 40 * DAY
    over = restore(key, hours=3)
    assert (over.expires_at, over.health, over.health_reason) == (AT + 2 * HOUR, "invalid", "It has expired.")


def test_too_late_to_go_back(key: Credential) -> None:
    """K8: also where no worker has erased it yet."""
    rotate(key, overlap=HOUR)
    with pytest.raises(NothingToRestore):
        restore(key, hours=1)


def test_text_that_is_refused_changes_nothing(key: Credential) -> None:
    """K2: nor does one that nobody could be asked about."""
    for state, error in (("invalid", KeyRejected), ("unreachable", ProviderUnreachable)):
        with pytest.raises(error):
            rotate(key, key_text("openai", state))
    with pytest.raises(InvalidValue):
        rotate(key, overlap=timedelta(days=31))
    assert versions(key) == [(1, None, True)]
    assert fresh(key).current_number == 1


def test_text_that_the_name_shows(key: Credential, providers: ProvidersSandbox) -> None:
    """K2: it is no secret; nobody is asked about it."""
    Credential.objects.filter(id=key.id).update(name="Key Zq7-Zq7-Zq7-")
    with pytest.raises(InvalidValue):
        rotate(key, "Zq7-" * 3)
    assert providers.calls() == []
    assert fresh(key).current_number == 1


def test_broken_key_is_healed(key: Credential) -> None:
    """K8, K9: its failures are forgotten."""
    Credential.objects.filter(id=key.id).update(health="invalid", failures=4, cools_until=AT + DAY)
    rotated = rotate(key)
    assert (rotated.health, rotated.failures, rotated.cools_until) == ("valid", 0, None)


def test_strangers_and_revoked(key: Credential) -> None:
    """K10: a foreign key is not found; a revoked one stays what it is."""
    with pytest.raises(Credential.DoesNotExist):
        rotate_credential(
            tenant_id=make_tenant().id,
            credential_id=key.id,
            plain=Secret(key_text()),
            overlap=None,
            actor=SYSTEM,
            at=AT,
        )
    revoke_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)
    for change in (rotate, restore):
        with pytest.raises(NotUsable):
            change(key)


@pytest.mark.usefixtures("own_vault")
def test_rotated_by_many_at_once(providers: ProvidersSandbox) -> None:
    """K8: versions in order, one of them in use; whoever was too late is told so."""
    key = make_credential(make_tenant())
    barrier = Barrier(6)

    def run(number: int) -> str:
        try:
            connection.ensure_connection()
            barrier.wait()
            rotate(key, key_text("openai", ("tenant", "tenant-2")[number % 2]))
        except ChangedMeanwhile:
            return "late"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(6) as pool:
        outcome = list(pool.map(run, range(6)))
    done = outcome.count("done")
    assert done >= 1
    assert fresh(key).current_number == 1 + done
    assert [(number, end is None) for number, end, _ in versions(key)] == [
        (number, number == 1 + done) for number in range(1, done + 2)
    ]
    assert current_text(key) in {key_text("openai", "tenant"), key_text("openai", "tenant-2")}
