"""Tables that only grow refuse every change, also from SQL by hand."""

import pytest
from django.db import DatabaseError, connection, transaction

from billing.plans.models import Entitlement, MeterPrice, PlanPrice, PlanVersion
from billing.usage.models import UsageEvent
from tests.make import AT, Customer, make_customer
from tests.money_make import event, report

pytestmark = pytest.mark.usefixtures("catalogue")
PARTITIONS = [f"billing_usage_usageevent_{number}" for number in range(8)]
GROWING = {
    "billing_credits_transfer": "amount = 1",
    "billing_usage_usageevent": "cost = 0",
    "tenants_auditevent": "action = 'other'",
    "billing_plans_modelprice": "input_per_million = 0",
}
SEALED = {"billing_plans_planversion": "currency = 'EUR'", "billing_plans_planprice": "amount = 0"} | {
    "billing_plans_entitlement": "value = '1'",
    "billing_plans_meterprice": "unit_price = 0",
}


@pytest.fixture
def customer(catalogue: None) -> Customer:
    customer = make_customer(balance="1")
    report(customer, event())
    return customer


def refused(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # TRUNCATE of a table with checks pending fails for another reason
        with pytest.raises(DatabaseError, match="pgtrigger: "), transaction.atomic():
            cursor.execute(statement)


@pytest.mark.parametrize("table", GROWING)
@pytest.mark.usefixtures("customer")
def test_growing_table_refuses_every_change(table: str) -> None:
    """M1, U3, K10, R1: neither UPDATE nor DELETE nor TRUNCATE, through the ORM or past it."""
    refused(f"UPDATE {table} SET {GROWING[table]}")
    refused(f"DELETE FROM {table}")
    refused(f"TRUNCATE {table} CASCADE")


def test_each_partition_of_the_events_refuses_every_change(customer: Customer) -> None:
    """U3: a partition is a table of its own to SQL; the triggers are on each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM billing_usage_usageevent")
        ((used,),) = cursor.fetchall()
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'billing_usage_usageevent'::regclass"
        )
        assert sorted(name for (name,) in cursor.fetchall()) == PARTITIONS
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text = ANY (%s) AND NOT tgisinternal",
            [PARTITIONS],
        )
        assert cursor.fetchone() == (16,)
    refused(f"UPDATE {used} SET cost = 0")
    refused(f"DELETE FROM {used}")
    for partition in PARTITIONS:
        refused(f"TRUNCATE {partition}")
    assert UsageEvent.objects.filter(account_id=customer.account.id).count() == 1


@pytest.mark.parametrize("table", SEALED)
def test_published_version_refuses_every_change(table: str) -> None:
    """P1: neither the version nor its prices, entitlements and meters."""
    refused(f"UPDATE {table} SET {SEALED[table]}")
    refused(f"DELETE FROM {table}")
    refused(f"TRUNCATE {table} CASCADE")


def test_published_version_takes_no_new_part() -> None:
    """P1: nothing is added to what customers have bought, and no part is moved into it."""
    version = PlanVersion.objects.get(plan__slug="pro")
    for part in (
        PlanPrice(version=version, interval="yearly", variant="other", amount=1),
        Entitlement(version=version, feature="invented", value=1),
        MeterPrice(version=version, product="invented", unit="piece", unit_price=1),
    ):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            part.save(force_insert=True)


def test_published_version_can_only_retire() -> None:
    """P1: it becomes neither a draft nor, once retired, published again."""
    PlanVersion.objects.filter(plan__slug="pro").update(state="retired")
    for state in ("draft", "published"):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            PlanVersion.objects.filter(plan__slug="pro").update(state=state, published_at=AT)
