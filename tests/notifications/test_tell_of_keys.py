"""What the owners of a key hear about its health."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction

from billing.notifications.models import Notice
from billing.notifications.services.send_notices import send_notices
from billing.notifications.services.tell_of_keys import tell_of_keys
from tenants.models import Tenant
from tenants.permissions import Role
from tenants.services.add_member import add_member
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant, make_workspace
from tests.vault.make import fresh, make_agent, make_assignment, make_credential
from vault.health import UNREADABLE
from vault.models import Credential, Health, HealthChange
from vault.queries import key_ring
from vault.resolution import KeyRules, Place, resolve
from vault.services.revoke_credential import revoke_credential
from vault.services.set_health import set_health
from vault.services.set_policy import set_policy

pytestmark = pytest.mark.usefixtures("vault")
PLAN = KeyRules(own_keys=True, byok_enabled=True, byok_only=False)


@pytest.fixture
def tenant(vault: object) -> Tenant:
    tenant = make_tenant("acme")
    for role in Role:
        add_member(tenant_id=tenant.id, email=f"{role}@example.com", role=role, at=AT, actor=SYSTEM)
    return tenant


@pytest.fixture
def key(tenant: Tenant) -> Credential:
    return make_credential(tenant, name="Main")


def owner(key: Credential) -> Tenant:
    assert key.tenant is not None
    return key.tenant


def become(key: Credential, *path: str, reason: str = "") -> list[str]:
    """Let the key's health change; gives the subjects of what is told of it."""
    known = set(Notice.objects.values_list("id", flat=True))
    for health in path:
        now, source = fresh(key), HealthChange.Source.CHECK
        set_health(key=now, health=Health(health), reason=reason, source=source, at=AT)
    tell_of_keys(at=AT)
    told = Notice.objects.exclude(id__in=known).order_by("id")
    return [notice.subject for notice in told]


def test_mail_goes_to_who_manages_keys(key: Credential) -> None:
    """K9, K10: owner and admin, not who only pays; with all that they need to know and no key."""
    make_assignment(owner(key), key, "gpt-5", at_place=make_agent(make_workspace(owner(key))))
    assert become(key, "invalid", reason="OpenAI does not know this key.") == [
        "Acme: OpenAI key “Main” is not accepted any more"
    ]
    assert send_notices(at=AT) == 1
    (sent,) = mail.outbox
    assert sent.to == ["admin@example.com", "owner@example.com"]
    facts, meaning, to_do, *_ = sent.body.split("\n\n")
    assert facts.endswith(") is not accepted any more. OpenAI does not know this key.")
    assert meaning.startswith("It is assigned to agent Ada in Main (gpt-5). Runs there use the platform’s key")
    assert "rotate" in to_do


@pytest.mark.parametrize(
    ("policy", "base_url", "reason", "meaning"),
    [
        ("strict", "", "", "Runs there are refused until that is mended."),
        ("fallback", "", "", "Runs there use the platform’s key until that is mended, and are charged as its runs."),
        ("fallback", "https://models.example.com", "", "Runs there are refused until that is mended."),
        ("fallback", "", UNREADABLE, "Runs there are refused until that is mended."),
    ],
)
def test_what_it_means_for_runs(tenant: Tenant, policy: str, base_url: str, reason: str, meaning: str) -> None:
    """K6, K9: refused, or on the platform's money."""
    key = make_credential(tenant, base_url=base_url)
    make_assignment(tenant, key)
    set_policy(tenant_id=tenant.id, fallback=policy, actor=SYSTEM, at=AT)
    become(key, "invalid", reason=reason)
    paragraphs = Notice.objects.get().body.split("\n\n")
    assert paragraphs[1] == f"It is assigned to the whole tenant (all models). {meaning}"


@pytest.mark.parametrize("health", ["invalid", "quota_exhausted", "unreachable", "restricted"])
def test_trouble_and_its_end(key: Credential, health: str) -> None:
    """K9: what stops runs, or may, is told; that a broken one works again, too."""
    assert len(become(key, health)) == 1
    ended = become(key, "valid")
    assert ended == ([] if health == "restricted" else ["Acme: OpenAI key “Main” works again"])


def test_end_that_comes_near(key: Credential) -> None:
    """K9: with its date."""
    Credential.objects.filter(id=key.id).update(expires_at=AT + timedelta(days=3))
    assert become(key, "valid") == ["Acme: OpenAI key “Main” expires soon"]
    assert "It ends on 13 March 2026, 12:00 UTC." in Notice.objects.get().body


def test_rate_limits_are_no_news(key: Credential) -> None:
    """K9: nor is what was known before one; what comes after a broken one is."""
    assert become(key, "rate_limited", "valid", "rate_limited") == []
    assert len(become(key, "restricted")) == 1
    assert become(key, "rate_limited", "restricted", "rate_limited", "valid") == []
    assert len(become(key, "invalid", "rate_limited", "invalid")) == 3


def test_revoked_key_is_told_of(key: Credential) -> None:
    """K9: others than who did it may wonder."""
    revoke_credential(tenant_id=key.tenant_id, credential_id=key.id, actor=SYSTEM, at=AT)
    tell_of_keys(at=AT)
    assert Notice.objects.get().subject == "Acme: OpenAI key “Main” was revoked"
    assert "No run is assigned to this key." in Notice.objects.get().body


def test_change_is_told_once(key: Credential) -> None:
    """K9: whoever looks again; each change by itself."""
    become(key, "invalid", "valid", "invalid")
    assert Notice.objects.count() == 3
    assert tell_of_keys(at=AT) == 0
    assert not HealthChange.objects.filter(told_at=None).exists()


def test_telling_that_fails_is_done_again(key: Credential) -> None:
    """K9: notice and mark are one transaction."""
    set_health(key=key, health=Health.INVALID, reason="", source=HealthChange.Source.CHECK, at=AT)
    with transaction.atomic():
        tell_of_keys(at=AT)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert tell_of_keys(at=AT) == 1
    assert Notice.objects.count() == 1


def test_platform_keys_are_staffs() -> None:
    """K12: no tenant hears of them."""
    assert become(make_credential(None), "invalid") == []
    assert not HealthChange.objects.filter(told_at=None).exists()


def test_silent_fallback_hides_a_broken_key(key: Credential) -> None:
    """K6, K9: who runs on the platform's money because a key broke is told so, by the change and by each decision."""
    workspace = make_workspace(owner(key))
    make_assignment(owner(key), key)
    assert len(become(key, "quota_exhausted")) == 1
    found = resolve(key_ring(owner(key).id), Place(workspace.id), provider="openai", model="gpt-5", rules=PLAN)
    assert (found.source, found.reason) == ("platform", "fallback-quota_exhausted")
    assert "“Main”" in found.detail
