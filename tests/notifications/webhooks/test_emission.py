"""What the product tells of: each fact in the shape that its type promises (N1)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from billing.core.ids import encode_id
from billing.notifications.event_types import SUBSCRIPTION_CHANGES, EventType
from billing.notifications.models import Notice, WebhookEvent
from billing.notifications.services.tell_of_keys import tell_of_keys
from billing.notifications.services.tell_of_subscriptions import tell_of_subscriptions
from billing.runtime.services.stop_session import stop_session
from billing.runtime.services.tell_of_stopped_sessions import tell_of_stopped_sessions
from billing.subscriptions.models import SpendControls, SubscriptionChange
from billing.subscriptions.services.end_grace import end_grace_periods
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import start
from tests.runtime.slots import session_of
from tests.subscriptions.test_apply_state import DAY, MONTH_END, apply, state
from tests.usage.alerting import use, watch
from tests.vault.make import make_credential
from vault.models import Health, HealthChange
from vault.services.set_health import set_health

pytestmark = pytest.mark.usefixtures("vault", "catalogue")


def told(kind: EventType) -> list[dict[str, Any]]:
    """The data of all events of this type, in order, in the shape of the example."""
    events = list(WebhookEvent.objects.filter(type=kind).order_by("id"))
    for event in events:
        assert shape(event.data) == shape(kind.example)
    return [event.data for event in events]


def shape(data: object) -> object:
    """Names of fields, all the way down."""
    return {name: shape(value) for name, value in data.items()} if isinstance(data, Mapping) else None


def test_low_balance() -> None:
    """M9: with figures of the currency's own digits; once."""
    customer = make_customer("payg", balance="8.5")
    for _ in range(2):
        watch(customer)
    assert told(EventType.BALANCE_LOW) == [
        {
            "tenant": customer.tenant.slug,
            "account": {"id": encode_id("acc", customer.account.id), "name": "Default"},
            "currency": "USD",
            "balance": "8.50",
            "held": "0.00",
            "threshold": "10.00",
        }
    ]


def test_shares_of_limits() -> None:
    """M9: the highest that is new; whoever wants no e-mails has programs that want to know."""
    customer = make_customer("free")
    SpendControls.objects.create(account=customer.account, burn_alerts=False, changed_at=AT)
    use(customer, "executions_per_month", "60")
    use(customer, "executions_per_month", "100")
    use(customer, "spend_cap_per_user_day", "1", subject="bob")
    use(customer, "spend_cap_per_user_day", "1", subject="ann")
    assert Notice.objects.count() == 0
    figures = [
        (data["feature"], data["threshold"], data["used"], data["limit"], data["currency"], data["user"])
        for data in told(EventType.QUOTA_THRESHOLD_REACHED)
    ]
    assert figures == [
        ("executions_per_month", 50, "60", "100", None, None),
        ("executions_per_month", 100, "160", "100", None, None),
        ("spend_cap_per_user_day", 100, "1.00", "1.00", "USD", "bob"),
        ("spend_cap_per_user_day", 100, "1.00", "1.00", "USD", "ann"),
    ]


def test_figures_are_exact() -> None:
    """N1: an amount that is below the limit, or the threshold, is so in what is told."""
    customer, prepaid = make_customer("free"), make_customer("payg", balance="9.999")
    SpendControls.objects.create(account=customer.account, daily_cap="0.01", changed_at=AT)
    use(customer, "spend_cap_per_day", "0.00775")
    watch(prepaid)
    assert [(data["used"], data["limit"]) for data in told(EventType.QUOTA_THRESHOLD_REACHED)] == [("0.00775", "0.01")]
    assert [(data["balance"], data["threshold"]) for data in told(EventType.BALANCE_LOW)] == [("9.999", "10.00")]


def test_health_of_keys() -> None:
    """K9: of the tenant's own keys, in words that hold none; the platform's are nobody's business."""
    customer = make_customer()
    key, platforms = make_credential(customer.tenant, name="Main"), make_credential(None)
    for one in (key, platforms):
        set_health(key=one, health=Health.INVALID, reason="Not known.", source=HealthChange.Source.CHECK, at=AT)
    assert tell_of_keys(at=AT) == 2
    [data] = told(EventType.PROVIDER_KEY_HEALTH_CHANGED)
    assert (data["before"], data["health"], data["reason"]) == ("valid", "invalid", "Not known.")
    assert data["key"]["id"] == WebhookEvent.objects.get().object_id == encode_id("cred", key.id)


def test_stopped_session() -> None:
    """M9: with the name that the agent gave it, and why."""
    customer = make_customer("pro")
    session = session_of(start(customer, session="nightly", agent="ada"))
    stop_session(account_id=customer.account.id, session_id=session.id, actor=SYSTEM, at=AT)
    for _ in range(2):
        tell_of_stopped_sessions(at=AT)
    [data] = told(EventType.SESSION_STOPPED)
    assert data["session"] == {"id": encode_id("ses", session.id), "name": "nightly", "agent": "ada"}
    assert (data["workspace"], data["reason"]) == (customer.workspace.slug, "hand")


class TestSubscriptions:
    """S4, S8: what becomes of an account's plan, in order, each change once."""

    @pytest.fixture
    def customer(self) -> Customer:
        """On a paid plan; what was told until then is left out."""
        customer = make_customer("free")
        apply(customer, state(), at=AT + timedelta(hours=1))
        assert changes() == ["started free", "started pro"]
        return customer

    def test_payment_that_arrives_late(self, customer: Customer) -> None:
        """S8: with the end of the grace; the restored plan is told of once."""
        apply(customer, state(status="past_due"), at=AT + DAY)
        assert changes() == ["past_due pro"]
        assert told(EventType.SUBSCRIPTION_CHANGED)[-1]["ends_at"] == "2026-03-18T12:00:00Z"
        end_grace_periods(at=AT + 8 * DAY)
        assert changes() == ["downgraded free"]
        assert told(EventType.SUBSCRIPTION_CHANGED)[-1]["previous_plan"] == "pro"
        apply(customer, state(), at=AT + 9 * DAY)
        assert changes() == ["restored pro"]

    def test_cancelled_resumed_and_ended(self, customer: Customer) -> None:
        """S4: with the day on which it will end, and the plan afterwards."""
        apply(customer, state(cancel_at=MONTH_END), at=AT + DAY)
        assert changes() == ["cancel_planned pro"]
        assert told(EventType.SUBSCRIPTION_CHANGED)[-1]["ends_at"] == "2026-04-10T12:00:00Z"
        apply(customer, state(), at=AT + 2 * DAY)
        assert changes() == ["resumed pro"]
        apply(customer, state(cancel_at=MONTH_END), at=AT + 3 * DAY)
        apply(customer, state(status="canceled", cancel_at=MONTH_END), at=MONTH_END)
        assert changes() == ["cancel_planned pro", "ended free"]

    def test_never_paid(self, customer: Customer) -> None:
        """S8: an end for want of payment, after the downgrade, is told of once."""
        apply(customer, state(status="past_due"), at=AT + DAY)
        end_grace_periods(at=AT + 8 * DAY)
        apply(customer, state(status="canceled"), at=AT + 20 * DAY)
        assert changes() == ["past_due pro", "downgraded free", "ended free"]

    def test_another_plan_and_more_seats(self, customer: Customer) -> None:
        """S4: the same read again is no change."""
        apply(customer, state(plan="team", seats=3), at=AT + DAY)
        apply(customer, state(plan="team", seats=4), at=AT + 2 * DAY)
        apply(customer, state(plan="team", seats=4), at=AT + 3 * DAY)
        assert changes() == ["changed team", "changed team"]
        assert [data["seats"] for data in told(EventType.SUBSCRIPTION_CHANGED)[-2:]] == [3, 4]

    def test_second_subscription_that_does_not_govern(self, customer: Customer) -> None:
        """S4: one that was paid twice by mistake means nothing for the plan."""
        twice = state("sub_2", started_at=AT + DAY)
        apply(customer, state(), twice, at=AT + DAY)
        apply(customer, state(), state("sub_2", started_at=AT + DAY, status="canceled"), at=AT + 2 * DAY)
        assert changes() == []


def changes() -> list[str]:
    """What is told now: the change and the plan afterwards."""
    before = len(told(EventType.SUBSCRIPTION_CHANGED))
    tell_of_subscriptions(at=AT)
    assert tell_of_subscriptions(at=AT) == 0
    return [f"{data['change']} {data['plan']}" for data in told(EventType.SUBSCRIPTION_CHANGED)[before:]]


def test_words_of_changes_are_the_documented_ones() -> None:
    """N1: the registry and the table agree."""
    assert tuple(SubscriptionChange.Change.values) == SUBSCRIPTION_CHANGES
