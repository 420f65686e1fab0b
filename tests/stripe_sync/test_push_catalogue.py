"""The catalogue at Stripe."""

from collections.abc import Sequence

import httpx
import pytest
import stripe as sdk
from djstripe.models import Price

from billing.plans.models import PlanPrice
from billing.stripe_sync.catalogue_objects import minor_unit
from billing.stripe_sync.client import StripeNotConfigured, stripe_client
from billing.stripe_sync.models import StripeMeter, StripePrice
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.push_version import price_at_stripe
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer, publish_pro
from tests.stripe_sync.plans import open_checkout

pytestmark = pytest.mark.django_db
PRO = "quaestor:pro:v1:monthly:standard"


def price(key: str = PRO) -> sdk.Price:
    return stripe_client().v1.prices.retrieve(StripePrice.objects.get(lookup_key=key).price_id)


def all_of(things: Sequence[str], prefix: str) -> int:
    return sum(thing.startswith(prefix) for thing in things)


def test_everything_that_costs_is_pushed(stripe_catalogue: StripeSandbox) -> None:
    """S1, P2: each price of a paid plan, standard and byok, by interval; nothing of a free one."""
    there = price("quaestor:team:v1:yearly:byok")
    assert there.recurring
    assert (there.product, there.unit_amount, there.currency) == ("quaestor_team", 19000, "usd")
    assert (there.recurring.interval, there.recurring.usage_type, there.active) == ("year", "licensed", True)
    assert stripe_client().v1.products.retrieve("quaestor_team").name == "Team"
    paid = PlanPrice.objects.filter(amount__gt=0, version__state="published")
    assert set(StripePrice.objects.values_list("plan_price_id", flat=True)) == {row.pk for row in paid}
    assert Price.objects.filter(id=there.id).exists()


def test_meters_count_minor_units(stripe_catalogue: StripeSandbox) -> None:
    """S1, S7: one meter a product and currency; a reading of one is one cent."""
    row = StripeMeter.objects.get(event_name="quaestor_kb_storage_usd")
    meter = stripe_client().v1.billing.meters.retrieve(row.meter_id)
    there = stripe_client().v1.prices.retrieve(row.price_id)
    assert there.recurring
    assert (meter.status, meter.default_aggregation.formula) == ("active", "sum")
    assert (there.unit_amount, there.currency, there.recurring.meter) == (1, "usd", meter.id)
    assert set(StripeMeter.objects.values_list("product", flat=True)) == {
        "pstn",
        "kb_storage",
        "callbacks",
        "compute",
        "requests",
        "executions",
    }


def test_lines_of_usage_name_no_price_by_the_piece(stripe_catalogue: StripeSandbox) -> None:
    """S1, S7: the unit is money, and the line says so; a product that was called otherwise is renamed."""
    client, key = stripe_client(), "quaestor_meter_callbacks_usd"
    client.v1.products.update(key, {"name": "Callbacks", "unit_label": "", "description": ""})
    push_catalogue(at=AT)
    product = client.v1.products.retrieve(key)
    assert (product.name, product.unit_label) == ("Callbacks: metered usage", "US cent")
    assert "rated at your plan's prices" in str(product.description)
    assert [minor_unit(code) for code in ("EUR", "CHF", "JPY", "KWD")] == [
        "euro cent",
        "0.01 CHF",
        "1 JPY",
        "0.001 KWD",
    ]
    customer = make_customer("free")
    opened = open_checkout(customer.account)
    page = httpx.get(opened.url).text
    assert "Callbacks: metered usage" in page
    assert "Billed by usage per month: $0.01 per US cent. Usage is rated at your plan" in page
    assert "$0.01 each" not in page


def test_push_again_changes_nothing(stripe_catalogue: StripeSandbox) -> None:
    """S1: pushing is idempotent: nothing is made, nothing is written."""
    rows = list(StripePrice.objects.values_list("price_id", "pushed_at"))
    result = push_catalogue(at=AT.replace(year=2027))
    assert (result.created, result.adopted) == ([], [])
    assert PRO in result.unchanged
    assert list(StripePrice.objects.values_list("price_id", "pushed_at")) == rows


def test_what_exists_is_adopted(stripe_catalogue: StripeSandbox) -> None:
    """S1: a database that was lost finds its prices and meters again."""
    prices = set(StripePrice.objects.values_list("price_id", flat=True))
    meters = set(StripeMeter.objects.values_list("meter_id", flat=True))
    StripePrice.objects.all().delete()
    StripeMeter.objects.all().delete()
    result = push_catalogue(at=AT)
    assert (result.created, all_of(result.adopted, "quaestor:")) == ([], len(prices) + len(meters))
    assert set(StripePrice.objects.values_list("price_id", flat=True)) == prices
    assert set(StripeMeter.objects.values_list("meter_id", flat=True)) == meters


def test_archived_price_is_woken(stripe_catalogue: StripeSandbox) -> None:
    """S1: what somebody archived by hand is for sale again."""
    client, before = stripe_client(), price()
    client.v1.prices.update(before.id, {"active": False})
    client.v1.products.update("quaestor_pro", {"active": False, "name": "Gone"})
    client.v1.billing.meters.deactivate(StripeMeter.objects.get(product="pstn").meter_id)
    assert push_catalogue(at=AT).created == []
    product = client.v1.products.retrieve("quaestor_pro")
    assert (price().id, price().active, product.active, product.name) == (before.id, True, True, "Pro")
    assert client.v1.billing.meters.retrieve(StripeMeter.objects.get(product="pstn").meter_id).status == "active"


def test_price_with_another_amount_is_replaced(stripe_catalogue: StripeSandbox) -> None:
    """S1: an amount never changes at Stripe: the right price takes the name, the wrong one is archived."""
    client, before = stripe_client(), price()
    wrong = client.v1.prices.create(
        {
            "product": "quaestor_pro",
            "currency": "usd",
            "unit_amount": 1,
            "recurring": {"interval": "month"},
            "lookup_key": PRO,
            "transfer_lookup_key": True,
        }
    )
    assert push_catalogue(at=AT).created == [PRO]
    assert price().unit_amount == 900
    assert price().id not in {before.id, wrong.id}
    assert client.v1.prices.retrieve(wrong.id).active is False


def test_new_version_is_pushed_beside_the_old_one(stripe_catalogue: StripeSandbox) -> None:
    """S1, P1: subscriptions on the old version keep its price."""
    publish_pro("12", agents=9)
    result = push_catalogue(at=AT)
    assert all_of(result.created, "quaestor:pro:v2:") == 4
    assert (price("quaestor:pro:v2:monthly:standard").unit_amount, price().active) == (1200, True)


def test_price_is_pushed_when_it_is_needed(stripe: StripeSandbox, catalogue: None) -> None:
    """S1, S2: Checkout does not wait for the next push."""
    wanted = PlanPrice.objects.get(version__plan__slug="pro", interval="yearly", variant="byok")
    row = price_at_stripe(plan_price=wanted, at=AT)
    assert price_at_stripe(plan_price=wanted, at=AT) == row
    assert stripe_client().v1.prices.retrieve(row.price_id).unit_amount == 5000


def test_interrupted_push_goes_on(stripe: StripeSandbox, catalogue: None) -> None:
    """S1: what was made before Stripe failed is adopted."""
    stripe.call("POST", "/_sandbox/faults", {"path": "/v1/billing/meters", "kind": "status", "status": 400, "times": 1})
    with pytest.raises(sdk.StripeError):
        push_catalogue(at=AT)
    made = StripePrice.objects.count()
    assert made > 0
    assert all_of(push_catalogue(at=AT).unchanged, "quaestor:") == made


def test_nothing_is_pushed_without_a_key(catalogue: None) -> None:
    """S6: there is no Stripe to push to."""
    with pytest.raises(StripeNotConfigured):
        push_catalogue(at=AT)
