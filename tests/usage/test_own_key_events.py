"""Reporting usage that ran on the tenant's own provider keys."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.ids import decode_id
from billing.subscriptions.services.use_own_keys import use_own_keys
from billing.usage.inputs import EventInput
from billing.usage.models import Counter, UsageEvent
from billing.usage.rows import digest_of
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import event, money_of, report, statuses
from tests.runtime.own_keys import make_key, own_key
from tests.vault.make import make_agent, make_assignment, make_office
from vault.models import Assignment, Credential

pytestmark = pytest.mark.usefixtures("catalogue", "vault")


def own(key: str = "", **changes: object) -> dict[str, object]:
    return event(key, credential_source="byok", **changes)


def stored(customer: Customer) -> list[UsageEvent]:
    return list(UsageEvent.objects.filter(account_id=customer.account.id).order_by("id"))


def test_event_on_an_own_key_is_paid_to_the_provider() -> None:
    """U7: metered with what it would have cost and the key that it ran on; neither charged nor counted."""
    customer = make_customer("payg")
    key = own_key(customer)
    assert statuses(report(customer, own(user="bob"))) == ["accepted"]
    (one,) = stored(customer)
    assert (one.credential_source, one.funding, one.cost) == ("byok", "provider", Decimal("0.0075"))
    assert (one.credential_id, one.credential_reason) == (key.id, "assigned-tenant")
    assert money_of(customer.account) == ("0", "0", "0")
    assert not Counter.objects.exists()


def test_platforms_and_own_keys_in_one_call() -> None:
    """K7: each event is paid for by whose key it names; where it names none, as the plan says."""
    customer = make_customer(balance="1")
    own_key(customer)
    events = [own(), event(), event(credential_source="platform")]
    assert statuses(report(customer, *events)) == ["accepted"] * 3
    assert [one.funding for one in stored(customer)] == ["provider", "credits", "credits"]
    assert money_of(customer.account)[0] == "0.985"


def test_event_without_an_assigned_key() -> None:
    """K7: an own key that is assigned nowhere, or for another model, is none; nor is the platform's."""
    customer = make_customer(balance="1")
    key = make_key(customer)
    answers = statuses(report(customer, own()))
    make_assignment(customer.tenant, key, "gpt-4o-mini")
    answers += statuses(report(customer, own(), own(model="gpt-4o-mini")))
    make_assignment(customer.tenant, None, "gpt-4o-mini", at_place=customer.workspace)
    answers += statuses(report(customer, own(model="gpt-4o-mini")))
    missing = "missing-provider-credential"
    assert answers == [missing, missing, "accepted", missing]


def test_plan_without_own_keys() -> None:
    """K6: an event that claims an own key is refused by itself where the plan has none."""
    customer = make_customer("starter")
    own_key(customer)
    assert statuses(report(customer, own(), event())) == ["plan-without-byok", "accepted"]


def test_plan_of_own_keys_only() -> None:
    """K6: no event of it ran on the platform's key; one that says nothing is taken as ever."""
    customer = make_customer("platform-growth")
    events = [event(credential_source="platform"), own(), event()]
    missing = "missing-provider-credential"
    assert statuses(report(customer, *events)) == [missing, missing, "accepted"]


@pytest.mark.parametrize(
    "change", [{"health": "invalid"}, {"disabled_at": AT}, {"health": "revoked", "revoked_at": AT}]
)
def test_key_that_broke_since(change: dict[str, object]) -> None:
    """U7: what ran is told late: a key that is broken by now, or switched off, was used all the same."""
    customer = make_customer()
    key = own_key(customer)
    Credential.objects.filter(id=key.id).update(**change)
    use_own_keys(account_id=customer.account.id, enabled=False, actor=SYSTEM, at=AT)
    assert statuses(report(customer, own())) == ["accepted"]
    assert stored(customer)[0].credential_id == key.id


def test_retry_after_the_key_is_gone() -> None:
    """U2: an event that was taken is answered as then, whatever is assigned by now; another body is a conflict."""
    customer = make_customer()
    own_key(customer)
    first = report(customer, own("k"))[0]
    Assignment.objects.all().delete()
    again, other, new = report(customer, own("k"), own("k", agent="a"), own("new"))
    assert (again.status, again.event_id) == ("duplicate", first.event_id)
    assert [other.code, new.code] == ["idempotency-conflict", "missing-provider-credential"]
    assert len(stored(customer)) == 1


def test_rejection_from_memory_is_checked() -> None:
    """K4: what was rejected a moment ago is taken as soon as a key is assigned."""
    customer = make_customer()
    assert statuses(report(customer, own("k"))) == ["missing-provider-credential"]
    own_key(customer)
    assert statuses(report(customer, own("k"))) == ["accepted"]


def test_agent_is_found_in_its_office() -> None:
    """K4: as for runs."""
    customer = make_customer()
    office = make_office(customer.workspace, "sales")
    make_agent(customer.workspace, "Ada", office=office)
    make_assignment(customer.tenant, make_key(customer), at_place=office)
    answers = report(customer, own(agent="Ada"), own(agent="Ada"), own(office="sales"), own(agent="Bob"))
    assert statuses(answers) == ["accepted", "accepted", "accepted", "missing-provider-credential"]


def test_other_products_have_no_provider_key() -> None:
    """U1: whose key it was is a question for model usage."""
    customer = make_customer(balance="1")
    pstn = event(product="pstn", quantity="1", credential_source="platform")
    assert statuses(report(customer, pstn, event(credential_source="none"))) == ["invalid-request"] * 2


def test_reversal_names_the_same_key() -> None:
    """U3: a reversing event is of the first one's key, and gives nothing back that was never charged."""
    customer = make_customer(balance="1")
    key = own_key(customer)
    first = decode_id("evt", str(report(customer, own())[0].event_id))
    later = AT + timedelta(hours=1)
    reversal = reverse_event(account_id=customer.account.id, event_id=first, reason="x", at=later, actor=SYSTEM)
    assert (reversal.credential_id, reversal.credential_reason) == (key.id, "assigned-tenant")
    assert money_of(customer.account) == ("1", "0", "0")


def test_events_without_the_field_ask_nothing_of_keys() -> None:
    """U4: a batch on the platform's keys takes the queries that it took before the vault."""
    customer = make_customer(balance="1")
    own_key(customer)
    report(customer, event())
    with CaptureQueriesContext(connection) as queries:
        report(customer, event(), event(credential_source="platform"))
    assert not [query["sql"] for query in queries if "vault_" in query["sql"]]


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (event("k"), "29a40cb49a602233069fc336c0468625"),
        (
            event("p", product="pstn", quantity="12.50", occurred_at="2026-03-10T13:00:00+01:00"),
            "61c7cf0a955b3d14d313eba781987992",
        ),
        (
            event("f", office="sales", agent="a", session="s", user="bob", cached_input_tokens=4),
            "cb6b703220310aaf6b5903a171415839",
        ),
    ],
)
def test_idempotency_for_ever(body: dict[str, object], digest: str) -> None:
    """U2: an event that does not name a key source has the digest that it had before there was one."""
    read = msgspec.json.decode(msgspec.json.encode(body), type=EventInput)
    assert digest_of(read.normalised()) == digest
