"""Moving money and reporting usage in one line, and doing it from many connections at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.db import connection
from uuid_utils.compat import uuid7

from billing.core.ids import decode_id
from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.open_ledger_account import open_ledger_account, platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.runtime.requests import (
    AuthorizationAnswer,
    AuthorizationRequest,
    SettlementAnswer,
    SettlementRequest,
    VoidAnswer,
)
from billing.runtime.services.authorize import authorize
from billing.runtime.services.settle import settle
from billing.runtime.services.void import void
from billing.subscriptions.models import BillingAccount
from billing.usage.inputs import EventResult
from billing.usage.services.ingest_events import ingest_events
from tests.make import AT, Customer

T = TypeVar("T")
_numbers = count(1)


def make_ledger(balance: str = "") -> LedgerAccount:
    """A customer's credits account without a customer."""
    ledger = open_ledger_account(kind=LedgerAccount.Kind.CREDITS, currency="USD", at=AT)
    if balance:
        make_grant(ledger, balance)
    return reread(ledger)


def make_grant(ledger: LedgerAccount, amount: str | Decimal, *, at: datetime = AT, key: str = "", **more: Any) -> Grant:
    more = {"source": Grant.Source.PROMOTION} | more
    return grant_credits(
        account_id=ledger.id, amount=Decimal(amount), idempotency_key=key or f"g{next(_numbers)}", at=at, **more
    )


def reread(ledger: LedgerAccount) -> LedgerAccount:
    return LedgerAccount.objects.get(id=ledger.id)


def left_of(*grants: Grant) -> list[str]:
    """What is left of grants, as written down, without trailing zeros."""
    rows = {grant.id: grant for grant in Grant.objects.filter(id__in=[grant.id for grant in grants])}
    return [f"{rows[grant.id].remaining.normalize():f}" for grant in grants]


def hold(ledger: LedgerAccount, amount: str | Decimal, *, at: datetime = AT) -> UUID | None:
    """Reserve an amount as a run does, sweeping expired grants first; None where funds do not suffice."""
    transfer = uuid7()
    for swept in (False, True):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT quaestor_hold(%s, %s, %s, %s, %s, %s, %s)",
                [transfer, ledger.id, revenue(), Decimal(amount), at + timedelta(minutes=15), at, swept],
            )
            verdict = cursor.fetchone()[0]
        if verdict != "expiry-due":
            return transfer if verdict == "granted" else None
        expire_grants(account_id=ledger.id, at=at)
    raise AssertionError(verdict)


def release(ledger: LedgerAccount, held: UUID, *, at: datetime = AT) -> None:
    amount = Transfer.objects.get(id=held).amount
    with connection.cursor() as cursor:
        cursor.execute("SELECT quaestor_void(%s, %s, %s, %s, %s)", [held, ledger.id, revenue(), amount, at])


def capture(ledger: LedgerAccount, held: UUID, cost: str | Decimal, *, at: datetime = AT) -> None:
    amount = Transfer.objects.get(id=held).amount
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quaestor_capture(%s, NULL, %s, %s, %s, %s, %s, 'a run', %s)",
            [ledger.id, revenue(), Decimal(cost), held, amount, str(held), at],
        )


def spend(ledger: LedgerAccount, amount: str | Decimal, *, at: datetime = AT) -> bool:
    """Hold and capture the whole amount; False where funds do not suffice."""
    held = hold(ledger, amount, at=at)
    if held is not None:
        capture(ledger, held, amount, at=at)
    return held is not None


def revenue() -> UUID:
    return platform_account(LedgerAccount.Kind.REVENUE, "USD")


def ask(**changes: Any) -> AuthorizationRequest:
    """A run of 1,000 tokens in and 500 out on gpt-4o: at most 0.0075 dollars."""
    usual = {"workspace": "main", "idempotency_key": f"run-{next(_numbers)}", "provider": "openai", "model": "gpt-4o"}
    return AuthorizationRequest(**(usual | {"input_tokens": 1000, "max_output_tokens": 500} | changes))


def start(customer: Customer, *, at: datetime = AT, **changes: Any) -> AuthorizationAnswer:
    return authorize(caller=customer.key.caller, request=ask(**changes), at=at)


def finish(
    customer: Customer,
    run: AuthorizationAnswer | str,
    tokens: int = 1000,
    output: int = 500,
    *,
    at: datetime = AT,
    **more: Any,
) -> SettlementAnswer:
    request = SettlementRequest(input_tokens=tokens, output_tokens=output, **more)
    return settle(caller=customer.key.caller, authorization_id=_id_of(run), request=request, at=at)


def _id_of(run: AuthorizationAnswer | str) -> UUID:
    return decode_id("auth", run if isinstance(run, str) else run.id)


def abandon(customer: Customer, run: AuthorizationAnswer | str, *, at: datetime = AT) -> VoidAnswer:
    return void(caller=customer.key.caller, authorization_id=_id_of(run), at=at)


def event(key: str = "", **changes: Any) -> dict[str, Any]:
    """A reported run of 1,000 tokens in and 500 out on gpt-4o: 0.0075 dollars."""
    usual = {"idempotency_key": key or f"event-{next(_numbers)}", "workspace": "main", "product": "llm"}
    model = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500}
    return usual | ({} if changes.get("product", "llm") != "llm" else model) | changes


def report(customer: Customer, *events: dict[str, Any], at: datetime = AT) -> list[EventResult]:
    raw = [msgspec.Raw(msgspec.json.encode(one)) for one in events]
    return ingest_events(caller=customer.key.caller, events=raw, at=at)


def statuses(results: Iterable[EventResult]) -> list[str]:
    return [result.code or result.status for result in results]


def money_of(account: BillingAccount) -> tuple[str, str, str]:
    """Balance, holds and debt of an account, without trailing zeros."""
    prepaid, receivable = reread(account.credits), reread(account.receivable)
    figures = (prepaid.balance, prepaid.debits_pending, receivable.debits_posted - receivable.credits_posted)
    return tuple(f"{figure.normalize():f}" for figure in figures)  # type: ignore[return-value]


def in_threads(work: Callable[[int], T], times: int, *, threads: int = 16) -> list[T]:
    """Call `work` with 0, 1, … from threads with connections of their own, which are closed."""

    def closing(number: int) -> T:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(closing, range(times)))


def owe(receivable: LedgerAccount, amount: str | Decimal, *, at: datetime = AT) -> None:
    """Usage that goes on the next invoice."""
    post_transfer(
        debit_account=receivable.id,
        credit_account=revenue(),
        amount=Decimal(amount),
        reason=Transfer.Reason.USAGE,
        idempotency_key=f"owe-{next(_numbers)}",
        at=at,
    )
