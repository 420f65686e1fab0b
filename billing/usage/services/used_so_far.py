from datetime import datetime
from decimal import Decimal

from billing.credits.models import LedgerAccount
from billing.subscriptions.terms import AccountTerms
from billing.usage.queries import metered_quantity


class UsedSoFar:
    """What a period has used of metered products, counting what the present batch has taken already.

    Only products with an included quantity need to know. Their batches lock the account before they read, so that two
    of them cannot both rate the same included units.
    """

    def __init__(self, terms: AccountTerms, *, products: set[str]) -> None:
        self._terms = terms
        self._taken: dict[tuple[str, datetime], Decimal] = {}
        self._included = {
            product for product in products if product in terms.meters and terms.meters[product].price.included > 0
        }
        if self._included:
            LedgerAccount.objects.select_for_update(no_key=True).get(id=terms.credits_id)

    def take(self, product: str, period_start: datetime, quantity: Decimal) -> Decimal:
        """What was used before this quantity; counts the quantity in for the next one."""
        if product not in self._included:
            return Decimal(0)
        key = product, period_start
        if key not in self._taken:
            self._taken[key] = metered_quantity(self._terms.account_id, product, period_start)
        before = self._taken[key]
        self._taken[key] = before + quantity
        return before
