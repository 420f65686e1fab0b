"""What the processes of a replay do; called by name after `django.setup()`, with one JSON argument. No test itself."""

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection
from django.utils.timezone import now

from billing.credits.services.check_ledger import check_ledger
from billing.plans.queries import price_book
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions.models import BillingAccount, SpendControls
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.usage.services.flush_rollups import flush_all_rollups, flush_rollups
from billing.usage.services.rebuild_rollups import rebuild_rollups
from tests.make import Customer, make_customer

PLANS = {"paid": "payg", "past": "pro", "owing": "payg"}
"""Customers by name: enough credits; executions past the limit; fewer credits than usage."""


def prepare(choices: dict[str, Any]) -> None:
    """Load what is shipped and make the customers; prints what a client and a reckoning need of them."""
    call_command("load_catalog", if_empty=True, stdout=sys.stderr)
    call_command("load_prices", stdout=sys.stderr)
    opened = datetime.fromisoformat(choices["opened"])
    balances = {"paid": "9000", "past": "", "owing": choices["owing_balance"]}
    customers = {name: make_customer(plan, balance=balances[name], at=opened) for name, plan in PLANS.items()}
    for name, customer in customers.items():
        # Sessions and users are many here, and are not what is to refuse.
        for feature in ("concurrent_sessions_limit", "session_runs_per_minute", "spend_cap_per_user_day"):
            _override(customer, feature, None, opened)
        if name == "past":
            _override(customer, "executions_per_month", choices["executions"], opened)
            SpendControls.objects.create(
                account=customer.account, overage_enabled=True, overage_ceiling=Decimal(99_999), changed_at=opened
            )
    meters = terms_of(customers["past"].account.id, opened).meters
    rates = {f"{provider}/{name}": model.rates for (provider, name), model in price_book(opened).models.items()}
    facts = {
        "customers": {
            name: {"key": customer.key.plain, "account": str(customer.account.id)}
            for name, customer in customers.items()
        },
        "rates": {
            name: [str(r.input_per_million), str(r.cached_input_per_million), str(r.output_per_million)]
            for name, r in rates.items()
        },
        "prices": {product: str(meters[product].price.tiers[0].unit_price) for product in ("pstn", "executions")},
    }
    print(json.dumps(facts))


def _override(customer: Customer, feature: str, value: int | None, at: datetime) -> None:
    override_entitlement(account_id=customer.account.id, feature=feature, value=value, reason="replay", at=at)


def work(choices: dict[str, Any]) -> None:
    """Fold and expire in small steps, as the periodic tasks do, through whatever happens to the database.

    Now and then an account's rollups are made again while all goes on; what that finds wrong goes into a file.
    """
    found = Path(choices["found"])
    steps: list[Callable[[], object]] = [
        lambda: flush_rollups(limit=choices["limit"]),
        lambda: expire_holds(at=now()),
        lambda: random.random() < 0.05 and found.open("a").writelines(_rebuild_one()),
    ]
    while True:
        for step in steps:
            try:
                step()
            except (DatabaseError, InterfaceError):
                connection.close()
        time.sleep(0.02)


def _rebuild_one() -> list[str]:
    """What was wrong with the rollups of one account."""
    account_id = random.choice(BillingAccount.objects.values_list("id", flat=True))
    return rebuild_rollups(account_id=account_id, period_start=None, at=now()).differences


def finish(choices: dict[str, Any]) -> None:
    """Expire what nobody closed, fold what is left, and look whether ledger and rollups add up."""
    later = now() + timedelta(minutes=choices["minutes"])
    expired = expire_holds(at=later)
    flush_all_rollups()
    findings = [str(finding) for finding in check_ledger(at=later)]
    for account_id in BillingAccount.objects.values_list("id", flat=True):
        findings += rebuild_rollups(account_id=account_id, period_start=None, at=later).differences
    print(json.dumps({"expired": expired, "findings": findings}))
