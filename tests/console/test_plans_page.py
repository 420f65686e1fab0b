"""The plans page (F1, P1, P4)."""

from datetime import timedelta
from decimal import Decimal
from fnmatch import fnmatchcase

import time_machine
from pytest_django.fixtures import Settings

from billing.console.pages.plans import PlansPage
from billing.plans.models import Entitlement, Plan
from billing.plans.queries import listed_models
from sandbox.stripe.process import TEST_KEY
from tenants.permissions import Role
from tests.console.make import QueryCount, make_client
from tests.console.paying import MONTH, make_agreement, make_plan_checkout
from tests.make import AT, Customer, make_account, make_customer, publish_pro


def test_current_plan_and_its_family_come_first(customer: Customer) -> None:
    """P1: the account's own plan is marked."""
    response = make_client(customer.tenant).get("/plans/")
    page = response.context["page"]
    assert (page.current_plan_slug, page.current_version) == ("payg", 1)
    assert [family.name for family in page.families] == [
        "Credits",
        "Platform fee, on your own keys",
        "Tiers",
        "Token allowances",
    ]
    assert response.text.count("Current plan") == 1


def test_rows_of_a_plan_in_words(customer: Customer) -> None:
    """P4: the numbers of the tier table."""
    families = {family.name: family for family in make_client(customer.tenant).get("/plans/").context["page"].families}
    pro = next(plan for plan in families["Tiers"].plans if plan.slug == "pro")
    rows = {row.label: row.value_text for row in pro.rows}
    assert rows["Running agents"] == "20"
    assert rows["Executions per month"] == "5,000, slowed from 3,000"
    assert rows["Knowledge base storage"] == "2\N{NO-BREAK SPACE}GB"
    assert rows["Spend cap per user and day"] == "$5.00"
    assert rows["Agent log retention"] == "30 days"
    assert rows["MCP servers"] == "Included"
    assert "Models not included" not in rows
    prices = {(price.interval, price.variant): price.amount for price in pro.prices}
    assert prices["monthly", "standard"] == Decimal("9.00")


def test_metered_extras_of_a_plan(customer: Customer) -> None:
    """P4: what is included, and a unit's price to its last digit."""
    page = make_client(customer.tenant).get("/plans/").context["page"]
    meters = {plan.slug: {row.label: row.value_text for row in plan.meters} for f in page.families for plan in f.plans}
    assert meters["payg"]["Compute"] == "$0.00005 per second"
    assert meters["payg"]["Knowledge base storage"] == "$0.25 per GB-month"
    assert meters["platform-growth"]["Phone calls"] == "100 included, then $0.016 per minute"


def test_hidden_plans_are_seen_only_by_those_who_are_on_them(customer: Customer) -> None:
    """P2: a plan agreed with one customer is not everybody's."""
    Plan.objects.filter(slug="pro").update(is_public=False)
    make_account(customer.tenant, "pro", name="Agreed", is_default=False)
    client = make_client(customer.tenant)
    assert "pro" not in _slugs(client.get("/plans/").context["page"])
    agreed = client.get("/plans/").context["console"].switch_options[1]
    client.post(agreed.url)
    assert "pro" in _slugs(client.get("/plans/").context["page"])


def test_custom_plan_is_asked_for(customer: Customer, settings: Settings) -> None:
    """P2: by e-mail, where there is an address for it; it is never sold by a button."""
    client = make_client(customer.tenant)
    assert "Contact us for an offer" in client.get("/plans/").text
    settings.CONTACT_EMAIL = "sales@quaestor.example"
    text = client.get("/plans/").text
    assert 'href="mailto:sales@quaestor.example"' in text
    assert "Choose Enterprise" not in text


def test_unfinished_purchase_is_told(customer: Customer, clock: time_machine.Traveller) -> None:
    """S2: with the way back to its payment page, as long as that is open, for who may pay."""
    key = make_plan_checkout(customer)
    client, reader = make_client(customer.tenant), make_client(customer.tenant, Role.VIEWER)
    assert f'href="https://checkout.stripe.com/c/pay/{key}"' in client.get("/plans/").text
    assert "Continue paying" not in reader.get("/plans/").text
    clock.move_to(AT + timedelta(days=1))
    assert "Continue paying" not in make_client(customer.tenant).get("/plans/").text


def test_paid_plan_says_what_it_costs_and_when_it_renews(customer: Customer, settings: Settings) -> None:
    """P10, K11: status, price for all seats, keys, and what the switch of keys saves."""
    settings.STRIPE_SECRET_KEY = TEST_KEY
    make_agreement(customer, "team", seats=2)
    response = make_client(customer.tenant).get("/plans/")
    present = response.context["page"].present
    assert (present.status, present.total, present.renews_at) == ("active", Decimal(58), AT + MONTH)
    assert (present.terms, present.other_variant.terms) == ("monthly-standard", "monthly-byok")
    for text in ("2 seats at $29.00", "10 Apr 2026", "saves $10.00 a month and seat", "Cancel plan", "Change seats"):
        assert text in response.text


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, subscription, four for the catalogue, agreement, models, checkout, frame."""
    client = make_client(customer.tenant)
    with django_assert_num_queries(13):
        client.get("/plans/")


def test_older_version_is_shown_to_who_is_on_it(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """P1: its price and entitlements, in three more queries, and that a newer one is published."""
    subscriber = make_customer("pro")
    publish_pro("19.00", agents=10)
    client = make_client(subscriber.tenant)
    with django_assert_num_queries(16):
        response = client.get("/plans/")
    assert _pro(response.context["page"]) == (1, Decimal("9.00"), "20")
    assert "Version 1 · version 2 is published; you stay on yours" in response.text
    other = make_client(customer.tenant).get("/plans/")
    assert _pro(other.context["page"]) == (2, Decimal("19.00"), "10")
    assert "you stay on yours" not in other.text


def test_models_not_included_are_counted_and_named(customer: Customer) -> None:
    """P3: no patterns, but how many of the models on offer, with examples by their titles."""
    families = {family.name: family for family in make_client(customer.tenant).get("/plans/").context["page"].families}
    free = next(plan for plan in families["Tiers"].plans if plan.slug == "free")
    text = next(row.value_text for row in free.rows if row.label == "Models not included")
    patterns = Entitlement.objects.get(version__plan__slug="free", feature="denied_models").value
    denied = [m for m in listed_models(AT) if any(fnmatchcase(m.model, pattern) for pattern in patterns)]
    counted, examples = text.split(" models, such as ")
    assert int(counted) == len(denied)
    assert set(examples.split(", ")) < {model.title for model in denied}
    assert "*" not in text


def _pro(page: PlansPage) -> tuple[int, Decimal, str]:
    plan = next(plan for family in page.families for plan in family.plans if plan.slug == "pro")
    return (
        plan.version,
        plan.prices[0].amount,
        next(row.value_text for row in plan.rows if row.label == "Running agents"),
    )


def _slugs(page: PlansPage) -> set[str]:
    return {plan.slug for family in page.families for plan in family.plans}
