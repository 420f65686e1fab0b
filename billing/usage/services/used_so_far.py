from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from billing.credits.models import LedgerAccount
from billing.subscriptions.terms import AccountTerms
from billing.usage.inputs import EventInput
from billing.usage.models import UsageEvent
from billing.usage.queries import metered_quantity


class UsedSoFar:
    """What a period has used of metered products, counting what the present batch takes.

    Only products with an included quantity need to know. The first one locks the account before it reads, so that two
    batches cannot both rate the same included units.
    """

    def __init__(self, terms: AccountTerms, *, events: Iterable[EventInput]) -> None:
        self._terms = terms
        self._events = events
        self._recorded: set[str] | None = None
        self._taken: dict[tuple[str, datetime], Decimal] = {}

    def take(self, event: EventInput, quantity: Decimal, period_start: datetime) -> Decimal:
        """What was used before this event; counts its quantity in for the next one.

        An event that is recorded already is in what was used, and is not counted again.
        """
        if self._recorded is None:
            self._recorded = self._lock_and_read_keys()
        key = event.product, period_start
        if key not in self._taken:
            self._taken[key] = metered_quantity(self._terms.account_id, *key)
        before = self._taken[key]
        if event.idempotency_key not in self._recorded:
            self._taken[key] = before + quantity
        return before

    def _lock_and_read_keys(self) -> set[str]:
        LedgerAccount.objects.select_for_update(no_key=True).get(id=self._terms.credits_id)
        keys = [event.idempotency_key for event in self._events if event.product != "llm"]
        known = UsageEvent.objects.filter(account_id=self._terms.account_id, idempotency_key__in=keys)
        return set(known.values_list("idempotency_key", flat=True))
