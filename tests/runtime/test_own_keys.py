"""Runs on the tenant's own provider keys: which key, who pays, and what is refused."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from billing.core.ids import encode_id
from billing.core.problems import Problem
from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.runtime.models import Authorization
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.use_own_keys import use_own_keys
from billing.usage.models import Counter, UsageEvent
from tenants.models import Agent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_account, make_customer, make_workspace
from tests.money_make import ask, finish, make_grant, money_of, start
from tests.runtime.own_keys import make_key, own_key
from tests.vault.make import make_agent, make_assignment, make_office
from vault.models import Assignment, Credential, CredentialVersion, KeyPolicy

pytestmark = pytest.mark.usefixtures("catalogue", "vault")
SECOND = timedelta(seconds=1)


def refusal(customer: Customer, **changes: object) -> Problem:
    with pytest.raises(Problem) as refused:
        start(customer, **changes)
    return refused.value


def strict(customer: Customer) -> None:
    KeyPolicy.objects.create(tenant=customer.tenant, fallback="strict", changed_at=AT)


def reason(customer: Customer, **changes: object) -> tuple[str, str]:
    run = start(customer, **changes)
    return run.credential_source, run.credential_reason


def test_run_on_an_own_key_is_paid_to_the_provider() -> None:
    """K5, U7: nothing is held or charged, no limit counts it; what it would have cost is on the event, with the key."""
    customer = make_customer("pro")
    key = own_key(customer)
    run = start(customer, user="bob")
    assert (run.credential_source, run.credential, run.credential_reason, run.held) == (
        "byok", encode_id("cred", key.id), "assigned-tenant", "0.000000000",
    )  # fmt: skip
    stored = Authorization.objects.get()
    assert (stored.funding, stored.meters, stored.quoted, stored.credential_number) == (
        "provider", [], Decimal("0.0075"), 1,
    )  # fmt: skip
    settled = finish(customer, run)
    assert (settled.cost, settled.charged, settled.owed) == ("0.007500000", "0.000000000", "0.000000000")
    event = UsageEvent.objects.get()
    assert (event.credential_source, event.credential_id, event.credential_reason, event.funding) == (
        "byok", key.id, "assigned-tenant", "provider",
    )  # fmt: skip
    assert not Counter.objects.exists()


def test_own_key_needs_no_credits() -> None:
    """U7: on a plan of credits an empty balance starts runs on own keys, and none on the platform's."""
    customer = make_customer("payg")
    own_key(customer)
    finish(customer, start(customer))
    assert money_of(customer.account) == ("0", "0", "0")
    assert refusal(customer, provider="anthropic", model="claude-haiku-4-5").code == "insufficient-credits"
    assert check_ledger(at=AT) == []


def test_plan_rules_hold_on_own_keys() -> None:
    """U7: size and denied models are the plan's, whoever's key it is."""
    customer = make_customer("free")
    own_key(customer)
    assert refusal(customer).code == "model-denied-by-plan"
    big = {"model": "gpt-4o-mini", "input_tokens": 50_001}
    assert refusal(customer, **big).code == "quota-exceeded-tokens-per-execution"
    assert reason(customer, model="gpt-4o-mini") == ("byok", "assigned-tenant")


def test_without_an_assignment() -> None:
    """K6: the platform's key, and why; where the tenant is strict, nothing."""
    customer = make_customer(balance="1")
    make_key(customer)
    assert reason(customer) == ("platform", "no-assignment")
    strict(customer)
    refused = refusal(customer)
    assert (refused.code, refused.status) == ("missing-provider-credential", 409)


def test_single_models_on_own_keys() -> None:
    """K7: an own key for some models, the platform's for others."""
    customer = make_customer(balance="1")
    make_assignment(customer.tenant, make_key(customer), "gpt-4o")
    assert reason(customer) == ("byok", "assigned-tenant")
    assert reason(customer, model="gpt-4o-mini") == ("platform", "no-assignment")
    make_assignment(customer.tenant, None, "gpt-4o", at_place=customer.workspace)
    assert reason(customer) == ("platform", "platform-chosen")


@pytest.mark.parametrize("health", ["invalid", "quota_exhausted", "unreachable"])
def test_silent_fallback_hides_a_broken_key(health: str) -> None:
    """Keys: what stands in for a broken key is said on the answer, the authorization and the event, and is charged."""
    customer = make_customer(balance="1")
    own_key(customer, health=health, health_reason="Not accepted.", name="Mine")
    run = start(customer)
    assert (run.credential_source, run.credential, run.credential_reason) == ("platform", None, f"fallback-{health}")
    finish(customer, run)
    assert money_of(customer.account) == ("0.9925", "0", "0")
    event = UsageEvent.objects.get()
    assert (event.credential_source, event.credential_id, event.credential_reason) == (
        "platform", None, f"fallback-{health}",
    )  # fmt: skip
    strict(customer)
    refused = refusal(customer)
    assert refused.code == "missing-provider-credential"
    assert "“Mine”" in refused.detail
    assert health.replace("_", " ") in refused.detail


def test_own_machine_never_falls_back() -> None:
    """K6: a key for the tenant's own address is not replaced by the platform's, whatever the policy."""
    customer = make_customer(balance="1")
    own_key(customer, base_url="https://models.example.com/v1", health="unreachable")
    assert refusal(customer).code == "missing-provider-credential"


def test_vault_row_missing_bills_the_platform() -> None:
    """Keys: a key that the vault cannot read is refused as such, and the platform does not pay."""
    customer = make_customer(balance="1")
    key = own_key(customer)
    CredentialVersion.objects.filter(credential=key).update(ciphertext=b"", revoked_at=AT)
    refused = refusal(customer)
    assert (refused.code, refused.status) == ("credential-unreadable", 503)
    assert not Authorization.objects.exists()


def test_hold_without_entitlement() -> None:
    """Limits: a plan without own keys refuses the run, whatever the policy, and leaves no hold or authorization."""
    customer = make_customer("starter", balance="1")
    own_key(customer)
    refused = refusal(customer)
    assert (refused.code, refused.status, refused.limit_source) == ("plan-without-byok", 402, "plan:starter")
    assert not Authorization.objects.exists()
    assert not Transfer.objects.filter(phase="pending").exists()
    assert not Counter.objects.exists()


def test_plan_of_own_keys_only() -> None:
    """K6: with a key it runs, without one it does not; the account's switch and the platform's keys play no part."""
    customer = make_customer("platform-growth")
    BillingAccount.objects.filter(id=customer.account.id).update(own_keys=False)
    refused = refusal(customer)
    assert (refused.code, refused.limit_source) == ("missing-provider-credential", "plan:platform-growth")
    own_key(customer)
    assert reason(customer) == ("byok", "assigned-tenant")
    make_assignment(customer.tenant, None, at_place=customer.workspace)
    assert refusal(customer).code == "missing-provider-credential"


def test_account_switch() -> None:
    """K11: switched off, the platform's keys are used, and on again the own ones, from the next run on."""
    customer = make_customer(balance="1")
    own_key(customer)
    seen = [reason(customer)]
    for enabled in (False, False, True):
        use_own_keys(account_id=customer.account.id, enabled=enabled, actor=SYSTEM, at=AT)
        seen.append(reason(customer))
    own, platform = ("byok", "assigned-tenant"), ("platform", "own-keys-off")
    assert seen == [own, platform, platform, own]


def test_two_accounts_of_a_tenant_have_their_own_switches() -> None:
    """K11: what a process remembers of keys is the tenant's, what it makes of them the account's."""
    customer = make_customer(balance="1")
    own_key(customer)
    second = make_account(customer.tenant, name="Second", is_default=False)
    make_grant(second.credits, "1")
    make_workspace(customer.tenant, "second", account=second)
    use_own_keys(account_id=second.id, enabled=False, actor=SYSTEM, at=AT)
    assert [reason(customer, workspace=name)[0] for name in ("main", "second")] == ["byok", "platform"]


def test_stale_cache_resurrects_a_revoked_key() -> None:
    """Limits, K4: whatever changes a run's key in SQL holds for the next run, though the old one is remembered."""
    customer = make_customer(balance="1")
    key = own_key(customer)
    assert reason(customer)[0] == "byok"
    keys = Credential.objects.filter(id=key.id)
    keys.update(disabled_at=AT)
    assert reason(customer) == ("platform", "fallback-disabled")
    keys.update(disabled_at=None)
    assert reason(customer)[0] == "byok"
    keys.update(health="revoked", revoked_at=AT)
    assert reason(customer) == ("platform", "fallback-revoked")
    Assignment.objects.all().delete()
    assert reason(customer) == ("platform", "no-assignment")
    strict(customer)
    assert refusal(customer).code == "missing-provider-credential"
    KeyPolicy.objects.all().delete()
    assert reason(customer) == ("platform", "no-assignment")


def test_refusal_from_memory_is_checked() -> None:
    """K4: what was refused a moment ago is granted as soon as a key is assigned."""
    customer = make_customer("platform-growth")
    assert refusal(customer).code == "missing-provider-credential"
    own_key(customer)
    assert reason(customer)[0] == "byok"


def test_agent_is_found_in_its_office() -> None:
    """K4: a run that names its agent alone is on the key of the agent's office, where an office has one."""
    customer = make_customer(balance="1")
    office = make_office(customer.workspace, "sales")
    make_agent(customer.workspace, "Ada", office=office)
    make_assignment(customer.tenant, make_key(customer), at_place=office)
    places = ({"agent": "Ada"}, {"office": "sales"}, {"agent": "Bob"}, {"office": "hr", "agent": "Ada"})
    assert [reason(customer, **place)[1] for place in places] == [
        "assigned-office", "assigned-office", "no-assignment", "no-assignment",
    ]  # fmt: skip


def test_agents_of_one_name() -> None:
    """K4: each is on its own office's key; a name that may mean either is refused, until one of them is retired."""
    customer = make_customer(balance="1")
    sales, support = make_office(customer.workspace, "sales"), make_office(customer.workspace, "support")
    twin = make_agent(customer.workspace, "Twin", office=sales)
    make_assignment(customer.tenant, make_key(customer), at_place=twin)
    assert reason(customer, agent="Twin")[1] == "assigned-agent"
    other = make_agent(customer.workspace, "Twin", office=support)
    assert reason(customer, agent="Twin", office="support") == ("platform", "no-assignment")
    assert reason(customer, agent="Twin", office="sales")[1] == "assigned-agent"
    refused = refusal(customer, agent="Twin")
    assert (refused.code, refused.status) == ("ambiguous-agent", 409)
    Agent.objects.filter(id=other.id).update(retired_at=AT)
    assert reason(customer, agent="Twin")[1] == "assigned-agent"
    Agent.objects.filter(id=twin.id).update(name="Ada")
    assert reason(customer, agent="Ada")[1] == "assigned-agent"


def test_same_key_answers_with_the_first_decision() -> None:
    """M2: a retry is answered with the key of the first time, though another one, or none, would be chosen now."""
    customer = make_customer(balance="1")
    own_key(customer)
    first = start(customer, idempotency_key="k")
    assert start(customer, idempotency_key="k") == first
    Assignment.objects.all().delete()
    assert start(customer, idempotency_key="k") == first
    strict(customer)
    assert start(customer, idempotency_key="k") == first
    assert first.credential_source == "byok"


def tier(**changes: object) -> dict[str, object]:
    return {"provider": None, "model": None, "recommended_model_tier": "fast"} | changes


def test_tier_takes_the_first_model_with_a_key() -> None:
    """R2, K7: models without a key are passed over in the order of preference; with none there is nothing to run on."""
    customer = make_customer("platform-growth")
    assert refusal(customer, **tier()).code == "missing-provider-credential"
    own_key(customer, "anthropic")
    assert start(customer, **tier()).model == "claude-haiku-5-5"
    own_key(customer, "groq")
    assert start(customer, **tier()).provider == "groq"


def test_tier_prefers_the_tenants_own_machines() -> None:
    """R2, K3: local models come first where an address of them is assigned, and never without one."""
    customer = make_customer(balance="1")
    usual = start(customer, **tier()).provider
    own_key(customer, "ollama", base_url="https://models.example.com")
    run = start(customer, **tier())
    assert (run.provider, run.credential_source, run.held) == ("ollama", "byok", "0.000000000")
    use_own_keys(account_id=customer.account.id, enabled=False, actor=SYSTEM, at=AT)
    assert start(customer, **tier()).provider == usual != "ollama"
    assert refusal(customer, provider="ollama", model="llama3.2").code == "missing-provider-credential"


def test_other_tenants_keys_play_no_part() -> None:
    """F3: an assignment of one tenant is none of another."""
    customer, other = make_customer(balance="1"), make_customer(balance="1")
    own_key(other)
    assert reason(customer) == ("platform", "no-assignment")
    assert isinstance(UUID(hex=(start(other).credential or "").removeprefix("cred_")), UUID)


def test_body_of_a_request_has_the_digest_it_had() -> None:
    """M2: earlier keys still answer: a field that is not sent is no part of what a request is told apart by."""
    assert list(msgspec.to_builtins(ask())) == [
        "workspace", "idempotency_key", "input_tokens", "max_output_tokens", "provider", "model",
        "recommended_model_tier", "office", "agent", "session", "user",
    ]  # fmt: skip
