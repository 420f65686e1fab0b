"""Stripe's objects as values."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from billing.plans.models import PlanPrice
from billing.stripe_sync.models import StripePrice
from billing.stripe_sync.reading import as_id, noted, read_states
from billing.subscriptions.models import Agreement
from billing.subscriptions.state import SubscriptionState
from tests.make import AT, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
START, ANCHOR, PERIOD, END = (int(datetime(2026, month, 10, tzinfo=UTC).timestamp()) for month in (3, 4, 5, 6))


def item(price: str = "price_pro", *, lookup_key: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": f"si_{price}",
        "object": "subscription_item",
        "price": {"id": price, "object": "price", "lookup_key": lookup_key},
        "quantity": 1,
        "current_period_start": PERIOD,
        "current_period_end": END,
    } | more


def subscription(*items: dict[str, Any], **more: Any) -> stripe.Subscription:
    values = {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "items": {"object": "list", "data": list(items or (item(),))},
        "billing_cycle_anchor": ANCHOR,
        "start_date": START,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "metadata": {},
    }
    return stripe.Subscription.construct_from(values | more, "sk")


def price_of(plan: str, interval: str = "monthly", variant: str = "standard") -> PlanPrice:
    return PlanPrice.objects.get(version__plan__slug=plan, interval=interval, variant=variant)


@pytest.fixture(autouse=True)
def pushed(catalogue: None) -> None:
    """What stands for Pro and Team at Stripe."""
    for plan in ("pro", "team"):
        StripePrice.objects.create(
            plan_price=price_of(plan),
            price_id=f"price_{plan}",
            product_id=f"quaestor_{plan}",
            lookup_key=f"quaestor:{plan}:v1:monthly:standard",
            pushed_at=AT,
        )


def read(*items: dict[str, Any], **more: Any) -> SubscriptionState:
    (state,) = read_states([subscription(*items, **more)])
    return state


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_plan_beside_its_meters() -> None:
    """S4: the period is the plan item's, wherever it stands among the items."""
    meter = item("price_meter", quantity=None, current_period_start=1, current_period_end=2)
    state = read(meter, item("price_team", quantity=4))
    assert (state.plan_version_id, state.interval, state.variant) == (
        price_of("team").version_id,
        "monthly",
        "standard",
    )
    assert (state.seats, state.period_start, state.period_end) == (4, moment(PERIOD), moment(END))
    assert (state.anchor, state.started_at, state.cancel_at) == (moment(ANCHOR), moment(START), None)


def test_flat_plan_has_one_seat() -> None:
    """P2: whatever quantity somebody set at Stripe."""
    assert read(item(quantity=7)).seats == 1


def test_trial_is_anchored_to_its_start() -> None:
    """P5: Stripe's anchor is the trial's end, which moves when the trial is extended; ours must not."""
    assert read(status="trialing").anchor == moment(START)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"cancel_at_period_end": True}, END),
        ({"cancel_at_period_end": True, "cancel_at": END}, END),
        ({"cancel_at": END + 5}, END + 5),
        ({"cancel_at": END, "ended_at": END, "status": "canceled"}, None),
    ],
)
def test_planned_end(said: dict[str, Any], at: int | None) -> None:
    """P10: however it was planned; over is not planned any more."""
    assert read(**said).cancel_at == (None if at is None else moment(at))


def test_chosen_plan_after_it() -> None:
    """P10: noted in the subscription itself."""
    assert read(metadata={"next_plan": "payg"}).next_plan_slug == "payg"


def test_price_is_adopted_by_its_key() -> None:
    """S1: a price that a push made and could not note is known by its lookup key."""
    state = read(item("price_x", lookup_key="quaestor:pro:v1:yearly:byok"))
    assert (state.interval, state.variant) == ("yearly", "byok")


@pytest.mark.parametrize(
    "key", [None, "", "other", "quaestor:pro:v9:monthly:standard", "quaestor:pro:vx:monthly:standard", "a:pro:v1:b:c"]
)
def test_foreign_price(key: str | None) -> None:
    """S4: passed over where the subscription is unknown; it keeps its plan where we know it."""
    foreign = subscription(item("price_x", lookup_key=key), status="past_due")
    assert read_states([foreign]) == []
    Agreement.objects.create(
        account=make_customer().account,
        external_id="sub_1",
        status="active",
        plan_version=price_of("team").version,
        interval="monthly",
        variant="byok",
        seats=3,
        anchor=AT,
        started_at=AT,
        period_start=AT,
        period_end=moment(END),
        synced_at=AT,
    )
    (state,) = read_states([foreign])
    assert (state.status, state.variant, state.seats) == ("past_due", "byok", 3)


def test_ids_and_notes() -> None:
    """S4: an id alone, an expanded object, nothing; and what we wrote into an object."""
    thing = subscription(metadata={"quaestor_account": "acc_1"})
    assert [as_id(one) for one in ("sub_1", thing, None)] == ["sub_1", "sub_1", ""]
    assert [noted(thing, name) for name in ("quaestor_account", "other")] == ["acc_1", ""]
