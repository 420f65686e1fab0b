"""Moving a workspace from account to account, and calls that overtake each other meanwhile."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection, transaction

from billing.subscriptions import directory
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.attach_workspace import attach_workspace
from tests.make import Customer, make_account, make_credits
from tests.money_make import in_threads

T = TypeVar("T")
_WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity \
 WHERE datname = current_database()))"


def make_second(customer: Customer, *, balance: str = "1", name: str = "Second") -> BillingAccount:
    """Another account of the same tenant."""
    account = make_account(customer.tenant, name=name, is_default=False)
    make_credits(account, balance)
    return account


def move(customer: Customer, account: BillingAccount) -> None:
    attach_workspace(workspace_id=customer.workspace.id, account_id=account.id)


@contextmanager
def overtaking(work: Callable[[], T]) -> Iterator[Callable[[BillingAccount, Customer], Future[T]]]:
    """Do not commit what the block does before its end; what it is given moves the workspace meanwhile and lets `work`
    begin, as in another process, and wait for a lock."""
    with ThreadPoolExecutor(1) as pool:

        def begin(account: BillingAccount, customer: Customer) -> Future[T]:
            in_threads(lambda _: move(customer, account), 1)
            directory.forget_everything()
            answer = pool.submit(lambda: in_threads(lambda _: work(), 1)[0])
            _wait_for_a_lock()
            assert not answer.done()
            return answer

        with transaction.atomic():
            yield begin


def _wait_for_a_lock() -> None:
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits for a lock.")
