"""Two months that are over: a pilot project of the demo tenant, with its invoices, a late event and a credit note."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from billing.core.periods import boundary
from billing.credits.models import Grant
from billing.credits.services.grant_credits import grant_credits
from billing.invoices.models import BillingCycle
from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.invoices.services.set_billing_details import set_billing_details
from billing.invoices.services.take_back_usage import take_back_usage
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.open_account import open_account
from billing.usage.models import UsageEvent
from billing.usage.services.ingest_events import ingest_events
from sandbox.demo.people import OPENED_BEFORE, replay_caller
from tenants.models import Tenant, Workspace
from tenants.services.record_audit import SYSTEM

NAME, SLUG = "Pilot", "pilot"
_MONTHS = 2
_CREDITS = Decimal(30)
_DETAILS = {
    "name": "Acme Agents GmbH",
    "line1": "Lindenstraße 14",
    "postal_code": "10969",
    "city": "Berlin",
    "country": "DE",
    "tax_id": "DE136695976",
    "reference": "PO 2026-0417",
}
_MODELS = (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-flash"))
_DAYS = 24


def add_pilot(tenant: Tenant, *, at: datetime) -> None:
    """The project from its first day to its last invoice, unless it is there; all of it in the past of `at`."""
    if tenant.billing_accounts.filter(name=NAME).exists():
        return
    start = boundary(at - OPENED_BEFORE, -_MONTHS)
    account = _open(tenant, start)
    for month in range(_MONTHS):
        begun = boundary(start, month)
        for day in range(_DAYS):
            _report(tenant, list(_events(month, day, begun + timedelta(days=day, hours=9))), begun, day)
        cycle = BillingCycle.objects.filter(account=account).order_by("starts_at").last()
        closed = (boundary(start, month + 1) if cycle is None else cycle.ends_at) + timedelta(hours=2)
        close_due_cycles(at=closed)
        if month == 0:  # a call that its telephone company told of a week too late
            _report(tenant, [_call("late", "41.5", closed - timedelta(days=2))], closed + timedelta(days=7), 0)
    wrong = UsageEvent.objects.get(account_id=account.id, idempotency_key="pilot-1-3-call")
    take_back_usage(account_id=account.id, event_id=wrong.id, reason="The call was dropped", at=at, actor=SYSTEM)


def _open(tenant: Tenant, start: datetime) -> BillingAccount:
    account = open_account(tenant_id=tenant.id, name=NAME, plan_slug="payg", at=start)
    workspace = Workspace.objects.create(
        tenant=tenant, slug=SLUG, name=NAME, environment=Workspace.Environment.PRODUCTION
    )
    attach_workspace(workspace_id=workspace.id, account_id=account.id)
    grant_credits(
        account_id=account.credits_id,
        amount=_CREDITS,
        source=Grant.Source.PURCHASE,
        idempotency_key="demo-pilot",
        at=start,
        description="Credits purchased",
    )
    for one in (account, tenant.billing_accounts.get(is_default=True)):
        set_billing_details(account_id=one.id, changes=_DETAILS, at=start, actor=SYSTEM)
    return account


def _events(month: int, day: int, at: datetime) -> Iterator[dict[str, Any]]:
    """A day's usage: the same each time, a little different each day."""
    for number, (provider, model) in enumerate(_MODELS):
        yield {
            "idempotency_key": f"pilot-{month}-{day}-{number}",
            "workspace": SLUG,
            "product": "llm",
            "provider": provider,
            "model": model,
            "input_tokens": 61_000 + 1_700 * ((day * 7 + number * 3 + month) % 11),
            "output_tokens": 17_000 + 900 * ((day * 5 + number) % 9),
            "agent": "pilot",
            "session": f"pilot-{month}-{day}",
            "occurred_at": (at + timedelta(minutes=7 * number)).isoformat(),
        }
    yield _call(f"{month}-{day}-call", f"{6 + (day * 5 + month) % 13}.5", at + timedelta(hours=2))


def _call(key: str, minutes: str, at: datetime) -> dict[str, Any]:
    return {
        "idempotency_key": f"pilot-{key}",
        "workspace": SLUG,
        "product": "pstn",
        "quantity": minutes,
        "occurred_at": at.isoformat(),
    }


def _report(tenant: Tenant, events: list[dict[str, Any]], begun: datetime, day: int) -> None:
    at = begun + timedelta(days=day, hours=12)
    encoded = [msgspec.Raw(msgspec.json.encode(event)) for event in events]
    results = ingest_events(caller=replay_caller(tenant), events=encoded, at=at)
    refused = [result for result in results if result.status not in {"accepted", "duplicate"}]
    if refused:
        raise ValueError(f"The pilot's usage was refused: {refused[0]}")
