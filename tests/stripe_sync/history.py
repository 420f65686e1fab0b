"""A random history of an account at Stripe: people use the product and Stripe, and webhooks come as they please."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

import stripe as sdk
from django.db import transaction
from django.test import Client

from billing.api.hot.key_cache import forget_callers
from billing.core.problems import Problem
from billing.credits.services.open_ledger_account import platform_account
from billing.invoices.services.close_due_cycles import open_first_cycles
from billing.plans.queries import clear_price_book
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.mirror import forget_own_account
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.reading import is_live
from billing.stripe_sync.services.reconcile import Reconciled, reconcile
from billing.stripe_sync.services.work_inbox import work_inbox
from billing.subscriptions import directory
from sandbox.errors import SandboxError
from sandbox.stripe.process import StripeSandbox
from tests.make import make_customer
from tests.stripe_sync.metered import tell
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.webhooks import Delivery, deliver

T = TypeVar("T")
# What a user may be refused with; "stripe-unavailable" only where a fault was ordered.
REFUSALS = {
    "account-changed",
    "card-declined",
    "invalid-request",
    "no-subscription",
    "not-found",
    "nothing-to-change",
    "nothing-to-pay",
    "plan-without-byok",
    "subscription-exists",
}

PATHS = ("^/v1/", "^/v1/subscriptions", "^/v1/checkout", "^/v1/refunds")
"""What trouble is about."""


@contextmanager
def undone(stripe: StripeSandbox) -> Iterator[None]:
    """Whatever happens inside happened neither at Stripe, which has a mark, nor here; and nobody remembers it."""
    forget_own_account()
    forget_callers()
    platform_account.cache_clear()
    clear_price_book()
    directory.forget_everything()
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        stripe.call("POST", "/_sandbox/return")


class History:
    """One account with all that happens to it. Each action takes its own chance, so that steps can be left out."""

    def __init__(self, stripe: StripeSandbox, *, seed: int, lost: float) -> None:
        self.stripe = stripe
        self.customer = make_customer("free", at=stripe_now(stripe))
        self.account = self.customer.account
        open_first_cycles(account_id=self.account.id)
        self._lost = lost  # the share of webhooks that never come
        self._mail = Random(seed)
        self._done: set[str] = set()  # deliveries that came, or never will
        self._web = Client()

    @property
    def now(self) -> datetime:
        """By Stripe's clock, rounded up: it counts whole seconds, and what was delivered is stamped by ours."""
        return stripe_now(self.stripe) + timedelta(seconds=1)

    def act(self, action: "Action", seed: int) -> None:
        """Do something, then let some webhooks through, and sometimes a worker work."""
        action(self, Random(seed))
        self.deliver_some()
        if self._mail.random() < 0.5:
            work_inbox(at=self.now)

    def deliver_some(self, *, rest: bool = False) -> None:
        """Deliver in any order, some twice, some never; without `rest` some wait for another time."""
        waiting = [row for row in self._deliveries() if row["id"] not in self._done]
        self._mail.shuffle(waiting)
        for row in waiting:
            chance = self._mail.random()
            if not rest and chance > 0.8:
                continue
            self._done.add(row["id"])
            if chance >= self._lost * (1 if rest else 0.8):
                self._deliver(row, times=self._mail.choice((1, 1, 1, 2)))

    def end(self) -> Reconciled:
        """What webhooks are left come or are lost; then one comparison, and the worker works off what it found."""
        tell(self.stripe)
        self.deliver_some(rest=True)
        if self._mail.random() < 0.5:
            work_inbox(at=self.now)
        result = reconcile(at=self.now)
        work_inbox(at=self.now, limit=1000)
        return result

    def _deliveries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stripe.call("GET", "/_sandbox/deliveries")["deliveries"]
        return found

    def _deliver(self, row: dict[str, Any], *, times: int) -> None:
        delivery = Delivery(row["event_type"], urlsplit(row["url"]).path, row["headers"], row["body"])
        for _ in range(times):
            assert deliver(self._web, delivery).status_code == 200

    def ask(self, chance: Random, request: Callable[[], T], *, paths: Sequence[str] = PATHS) -> T | None:
        """What the product answers, Stripe being in trouble now and then; None where it refuses."""
        is_troubled = chance.random() < 0.15
        if is_troubled:
            kind, times = chance.choice(("lost", "timeout", "status")), chance.choice((1, 3))
            fault = {"path": chance.choice(paths), "kind": kind, "times": times}
            self.stripe.call("POST", "/_sandbox/faults", fault)
        try:
            return request()
        except Problem as problem:
            if problem.code not in REFUSALS and not (is_troubled and problem.code == "stripe-unavailable"):
                raise
            return None
        finally:
            self.stripe.call("DELETE", "/_sandbox/faults")

    # At Stripe

    def customer_id(self) -> str | None:
        row = StripeCustomer.objects.filter(account=self.account, deleted_at=None).first()
        if row is None or getattr(stripe_client().v1.customers.retrieve(row.customer_id), "deleted", False):
            return None
        return row.customer_id

    def live(self) -> list[sdk.Subscription]:
        key = self.customer_id()
        found = stripe_client().v1.subscriptions.list({"customer": key, "status": "all"}).data if key else []
        return [one for one in found if is_live(one)]

    def press(self, chance: Random, session_id: str, card: str) -> None:
        """The page's button; refused cards and closed pages change nothing."""
        with suppress(SandboxError):
            said = {"card": card, "authenticate": chance.random() < 0.7}
            self.stripe.call("POST", f"/_sandbox/checkout/{session_id}", said)


Action = Callable[[History, Random], object]
