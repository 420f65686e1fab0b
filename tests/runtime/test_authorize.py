"""Deciding whether a run may start."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.db import connection

from billing.core.problems import Problem
from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.plans.models import Model
from billing.plans.queries import clear_price_book
from billing.runtime.models import Authorization
from billing.runtime.requests import AuthorizationRequest
from billing.runtime.services.authorize import authorize
from billing.subscriptions import directory
from billing.subscriptions.models import Subscription, WorkspaceBilling
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import Counter
from tenants.services.record_audit import SYSTEM
from tenants.services.revoke_api_key import revoke_api_key
from tests.make import AT, Customer, make_account, make_api_key, make_customer, make_workspace
from tests.money_make import abandon, ask, event, finish, make_grant, money_of, report, start

pytestmark = pytest.mark.usefixtures("catalogue")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def refusal(customer: Customer, **changes: object) -> Problem:
    with pytest.raises(Problem) as refused:
        start(customer, **changes)
    return refused.value


def use_up(customer: Customer, feature: str, used: str, *, subject: str = "", since: object = None) -> None:
    """Set a counter by hand, as many runs would have left it."""
    window = since or terms_of(customer.account.id, AT).window(feature, AT).start
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quaestor_count(%s, %s, %s, %s, %s, 0, NULL)",
            [customer.account.id, feature, subject, window, Decimal(used)],
        )


def reserved(customer: Customer) -> dict[str, str]:
    rows = Counter.objects.filter(account_id=customer.account.id)
    return {row.feature: f"{row.used.normalize():f}+{row.reserved.normalize():f}" for row in rows}


def test_granted_run_holds_the_most_it_can_cost() -> None:
    """M2: all input at the full rate, all output that is allowed; the hold lies fifteen minutes."""
    customer = make_customer(balance="1")
    answer = start(customer)
    assert (answer.state, answer.held, answer.currency, answer.credential_source) == (
        "open", "0.007500000", "USD", "platform",
    )  # fmt: skip
    assert answer.expires_at == "2026-03-10T12:15:00.000000Z"
    assert money_of(customer.account) == ("1", "0.0075", "0")
    assert check_ledger(at=AT) == []


def test_same_key_answers_as_the_first_time() -> None:
    """M2: a retry holds nothing more, also once the run is settled; another body is a conflict."""
    customer = make_customer(balance="1")
    first = start(customer, idempotency_key="k")
    assert start(customer, idempotency_key="k") == first
    finish(customer, first)
    assert start(customer, idempotency_key="k") == msgspec.structs.replace(first, state="settled")
    assert refusal(customer, idempotency_key="k", input_tokens=1001).code == "idempotency-conflict"
    assert Authorization.objects.count() == 1


def test_retry_is_answered_though_the_plan_would_refuse_it_now() -> None:
    """M2: what was granted before a change of plan is still answered; another body is still a conflict."""
    customer = make_customer("payg", balance="1")
    first = start(customer, idempotency_key="k")
    subscribe(account_id=customer.account.id, plan_slug="platform-starter", at=AT + SECOND)
    later = AT + 2 * SECOND
    assert start(customer, idempotency_key="k", at=later).id == first.id
    assert refusal(customer, idempotency_key="k", agent="a", at=later).code == "idempotency-conflict"
    assert refusal(customer, idempotency_key="new", at=later).code == "missing-provider-credential"


def test_not_a_nano_dollar_more_than_there_is() -> None:
    """M1, M2: the whole balance can be held; a nano-dollar less is refused, saying what can be spent."""
    customer = make_customer(balance="0.0075")
    run = start(customer)
    refused = refusal(customer, input_tokens=1, max_output_tokens=0)
    assert (refused.code, refused.status, refused.limit_source) == ("insufficient-credits", 402, "balance")
    assert "0.000002500 USD; 0.000000000 USD can be spent" in refused.detail
    abandon(customer, run)
    assert start(customer).held == "0.007500000"


def test_hold_without_entitlement() -> None:
    """Limits: a refused run leaves no hold, no reservation and no authorization, whatever refuses it."""
    customer = make_customer("payg", balance="0.001")
    override_entitlement(account_id=customer.account.id, feature="tokens_per_month", value=5_000, reason="x", at=AT)
    assert refusal(customer).code == "insufficient-credits"
    make_grant(customer.account.credits, "1")
    use_up(customer, "tokens_per_month", "4000")
    assert refusal(customer).code == "quota-exceeded-tokens"
    assert (money_of(customer.account)[1], reserved(customer)) == ("0", {"tokens_per_month": "4000+0"})
    assert not Authorization.objects.exists()
    assert not Transfer.objects.filter(phase="pending").exists()


def test_expired_credits_are_not_spent() -> None:
    """M6: a grant that has expired pays for no run, though no worker has swept."""
    customer = make_customer()
    make_grant(customer.account.credits, "1", expires_at=AT + SECOND)
    assert start(customer).state == "open"
    assert refusal(customer, at=AT + SECOND).code == "insufficient-credits"


def test_hundredth_execution_is_the_last_of_the_free_plan() -> None:
    """P6, P7: Free stops hard: running ones count, the 101st is refused, a void gives its execution back."""
    customer = make_customer("free")
    use_up(customer, "executions_per_month", "99")
    last = start(customer, model="gpt-4o-mini")
    refused = refusal(customer, model="gpt-4o-mini")
    assert (refused.code, refused.status, refused.limit_source) == ("quota-exceeded-executions", 402, "plan:free")
    assert "100 of 100 used until 2026-04-10 00:00 UTC" in refused.detail
    assert refused.retry_after == (30 * 24 + 12) * 3600
    abandon(customer, last)
    finish(customer, start(customer, model="gpt-4o-mini"))
    assert refusal(customer, model="gpt-4o-mini").code == "quota-exceeded-executions"


def test_counters_start_over_with_the_period() -> None:
    """P5: the allowance is there again on the sign-up day of the next month."""
    customer = make_customer("free")
    use_up(customer, "executions_per_month", "100")
    assert refusal(customer, model="gpt-4o-mini").code == "quota-exceeded-executions"
    assert start(customer, model="gpt-4o-mini", at=AT.replace(month=4)).state == "open"


def test_included_plan_holds_and_charges_nothing() -> None:
    """M2, M9: where the plan pays, the balance plays no part; executions and spend are counted."""
    customer = make_customer("free")
    run = start(customer, model="gpt-4o-mini", user="bob")
    assert run.held == "0.000000000"
    assert reserved(customer) == {"executions_per_month": "0+1", "spend_cap_per_user_day": "0+0.00045"}
    settled = finish(customer, run)
    assert (settled.cost, settled.charged, settled.owed) == ("0.000450000", "0.000000000", "0.000000000")
    assert reserved(customer) == {
        "executions_per_month": "1+0",
        "spend_cap_per_day": "0.00045+0",
        "spend_cap_per_user_day": "0.00045+0",
        "tokens_per_month": "1500+0",
    }
    assert money_of(customer.account) == ("0", "0", "0")


def test_tokens_of_the_month() -> None:
    """P3, P6: 15 million tokens on `starter`, the estimate of running ones included."""
    customer = make_customer("starter")
    use_up(customer, "tokens_per_month", "14998500")
    run = start(customer)
    assert refusal(customer, input_tokens=1, max_output_tokens=0).code == "quota-exceeded-tokens"
    finish(customer, run, 900, 100)
    assert start(customer, input_tokens=500, max_output_tokens=0).state == "open"
    assert refusal(customer, input_tokens=1, max_output_tokens=0).code == "quota-exceeded-tokens"


def test_spend_cap_is_of_one_user_and_one_day() -> None:
    """M9: a dollar a user and UTC day on Free; other users and the next day are not touched."""
    customer = make_customer("free")
    use_up(customer, "spend_cap_per_user_day", "0.9996", subject="bob")
    refused = refusal(customer, model="gpt-4o-mini", user="bob")
    assert (refused.code, refused.status, refused.limit_source) == ("spend-cap-exceeded", 402, "plan:free")
    assert "0.9996 of 1.00 used until 2026-03-11 00:00 UTC" in refused.detail
    assert refused.retry_after == 12 * 3600
    use_up(customer, "spend_cap_per_user_day", "0.0004", subject="bob")
    refused = refusal(customer, model="gpt-4o-mini", user="bob", at=AT + timedelta(seconds=0.5))
    assert "1.00 of 1.00 used" in refused.detail
    assert refused.retry_after == 12 * 3600
    assert start(customer, model="gpt-4o-mini", user="eve").state == "open"
    assert start(customer, model="gpt-4o-mini", user="bob", at=AT + timedelta(hours=12)).state == "open"


def test_pro_is_slowed_after_three_thousand() -> None:
    """P7: one execution a minute past 3,000 of 5,000, with the seconds to wait; 5,000 is the end."""
    customer = make_customer("pro")
    use_up(customer, "executions_per_month", "2999")
    assert start(customer).state == "open"
    refused = refusal(customer, at=AT + 18 * SECOND)
    assert (refused.code, refused.status, refused.retry_after) == ("throttled", 429, 42)
    assert refusal(customer, at=AT + timedelta(seconds=59.5)).retry_after == 1
    assert start(customer, at=AT + 60 * SECOND).state == "open"
    assert refusal(customer, at=AT + 61 * SECOND).retry_after == 59
    use_up(customer, "executions_per_month", "1999")
    assert refusal(customer, at=AT + DAY).code == "quota-exceeded-executions"


def test_seats_multiply_limit_and_threshold() -> None:
    """P3, P7: three seats of Team run 75,000 executions, unslowed up to 45,000; a change of seats counts at once."""
    customer = make_customer("team")
    Subscription.objects.filter(account=customer.account).update(seats=3)
    use_up(customer, "executions_per_month", "44998")
    assert [start(customer).state, start(customer).state] == ["open", "open"]
    assert refusal(customer).code == "throttled"
    Subscription.objects.filter(account=customer.account).update(seats=4)
    assert start(customer).state == "open"


def test_largest_execution() -> None:
    """M9: 50,000 tokens in and out together, not one more."""
    customer = make_customer("free")
    assert start(customer, model="gpt-4o-mini", input_tokens=49_000, max_output_tokens=1000).state == "open"
    refused = refusal(customer, model="gpt-4o-mini", input_tokens=49_000, max_output_tokens=1001)
    assert (refused.code, refused.status) == ("quota-exceeded-tokens-per-execution", 402)


def test_denied_model() -> None:
    """M9: Free runs neither GPT-4o nor Opus, and says which plan says so."""
    customer = make_customer("free")
    refused = refusal(customer)
    assert (refused.code, refused.status, refused.limit_source) == ("model-denied-by-plan", 402, "plan:free")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "gpt-unheard-of"}, "model-not-found"),
        ({"model": None}, "invalid-request"),
        ({"recommended_model_tier": "fast"}, "invalid-request"),
        ({"workspace": "nowhere"}, "not-found"),
        ({"provider": None, "model": None, "recommended_model_tier": "fast", "input_tokens": 999_999_999}, "quota"),
    ],
)
def test_request_that_names_no_model_or_workspace(changes: dict[str, object], code: str) -> None:
    """M2: nothing is guessed."""
    assert refusal(make_customer(balance="1"), **changes).code.startswith(code)


def test_model_without_a_price_runs_free() -> None:
    """Limits: a model that is listed and has no price is no model at all."""
    Model.objects.create(provider="openai", name="house-model", title="House", tier="fast")
    clear_price_book()
    for plan in ("payg", "starter"):
        assert refusal(make_customer(plan, balance="1"), model="house-model").code == "model-not-found"


def test_strict_own_key_plan_needs_a_key() -> None:
    """K6: where the plan brings no keys, the platform's are never used."""
    refused = refusal(make_customer("platform-growth", balance="5"))
    assert (refused.code, refused.status) == ("missing-provider-credential", 409)


def test_other_tenants_workspace_is_not_found() -> None:
    """F3: a foreign workspace, and one outside the key's own, reads like one that does not exist."""
    customer, other = make_customer(balance="1"), make_customer(balance="1")
    make_workspace(customer.tenant, "second", account=customer.account)
    bound = make_api_key(customer.tenant, workspace=customer.workspace).caller
    for caller, name in ((customer.key.caller, str(other.workspace.id)), (bound, "second")):
        with pytest.raises(Problem, match="not-found"):
            authorize(caller=caller, request=ask(workspace=name), at=AT)


def test_stale_cache_resurrects_a_revoked_key() -> None:
    """Limits: a key revoked by whatever means is refused by the statement that decides, though the caller is cached."""
    customer = make_customer(balance="1")
    start(customer)
    revoke_api_key(tenant_id=customer.tenant.id, key_id=customer.key.row.id, at=AT, actor=SYSTEM)
    refused = refusal(customer)
    assert (refused.code, refused.status) == ("revoked-api-key", 401)
    deleted = make_customer(balance="1")
    deleted.tenant.api_keys.filter(id=deleted.key.row.id).update(revoked_at=AT)
    assert refusal(deleted).code == "revoked-api-key"


def test_limit_set_in_sql_holds_at_once() -> None:
    """P3: an override written by hand is in force for the next run of a process that remembers the old limits."""
    customer = make_customer("starter")
    start(customer)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_subscriptions_entitlementoverride (account_id, feature, value, reason, created_at) "
            "VALUES (%s, 'tokens_per_month', '100', 'by hand', now())",
            [customer.account.id],
        )
    refused = refusal(customer)
    assert (refused.code, refused.limit_source) == ("quota-exceeded-tokens", "override")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_subscriptions_entitlementoverride")
    assert start(customer).state == "open"


def test_change_of_plan_holds_at_once() -> None:
    """P10: downgraded behind a process's memory, an account is refused; upgraded, it is admitted."""
    customer = make_customer("pro")
    start(customer)
    subscribe(account_id=customer.account.id, plan_slug="free", at=AT + SECOND)
    assert refusal(customer, at=AT + 2 * SECOND).code == "model-denied-by-plan"
    subscribe(account_id=customer.account.id, plan_slug="pro", at=AT + 3 * SECOND)
    assert start(customer, at=AT + 4 * SECOND).state == "open"


def test_plan_that_ends_is_not_remembered_beyond_its_end() -> None:
    """P10: at the instant that a subscription ends the next one holds, with nothing written in between."""
    customer = make_customer("pro")
    subscribe(account_id=customer.account.id, plan_slug="free", at=AT + DAY)
    assert start(customer, at=AT + DAY - SECOND).state == "open"
    assert refusal(customer, at=AT + DAY).code == "model-denied-by-plan"


def test_workspace_that_moved_runs_on_its_new_account() -> None:
    """P11: the account that a process remembers for a workspace pays for nothing once it does not."""
    customer = make_customer(balance="1")
    start(customer)
    other = make_account(customer.tenant, name="Second", is_default=False)
    attach_workspace(workspace_id=customer.workspace.id, account_id=other.id)
    directory._terms.clear()  # read afresh, as after their end
    assert refusal(customer).code == "insufficient-credits"
    WorkspaceBilling.objects.all().delete()
    assert refusal(customer).code == "not-found"


@pytest.mark.parametrize("field", ["workspace", "idempotency_key", "office", "agent", "session", "user", "fingerprint"])
def test_text_that_the_database_cannot_hold_is_refused_while_it_is_read(field: str) -> None:
    """F3: a NUL character is the caller's mistake, not a server error."""
    body = msgspec.json.encode(msgspec.to_builtins(ask()) | {field: "a\x00b"})
    with pytest.raises(msgspec.ValidationError, match="NUL"):
        msgspec.json.decode(body, type=AuthorizationRequest)


def test_cheapest_model_of_a_tier() -> None:
    """R2: a tier is routed to one model, at whose rates the run is held and settled."""
    customer = make_customer(balance="1")
    run = start(customer, provider=None, model=None, recommended_model_tier="heavy")
    authorization = Authorization.objects.get()
    assert (authorization.provider, authorization.model) == (run.provider, run.model)
    assert Decimal(finish(customer, run).cost) == Decimal(run.held)


def test_reported_usage_counts_against_the_same_limits() -> None:
    """P6, U4: executions that a program reports after the fact use the allowance up too."""
    customer = make_customer("free")
    use_up(customer, "executions_per_month", "99")
    report(customer, event(model="gpt-4o-mini"))
    assert refusal(customer, model="gpt-4o-mini").code == "quota-exceeded-executions"
