"""Terms of the past, for what is reported late."""

from bisect import bisect_right
from datetime import datetime

from billing.subscriptions.queries import subscription_starts, terms_of
from billing.subscriptions.terms import AccountTerms


class TermsHistory:
    """The terms of one account at the instants that events of one batch happened at (U6).

    Reads the past only for an event that is older than the current subscription. Where there was no subscription, the
    one before it applies, and before the first one the first: no event is without a period.
    """

    def __init__(self, current: AccountTerms) -> None:
        self.current = current
        self._starts: list[datetime] | None = None
        self._past: dict[datetime, AccountTerms] = {}

    def at(self, occurred_at: datetime) -> AccountTerms:
        """The terms in force when something happened."""
        if occurred_at >= self.current.valid_from:
            return self.current
        if self._starts is None:
            self._starts = subscription_starts(self.current.account_id)
        start = self._starts[max(bisect_right(self._starts, occurred_at) - 1, 0)]
        if start >= self.current.valid_from:
            return self.current
        if start not in self._past:
            self._past[start] = terms_of(self.current.account_id, start)
        return self._past[start]

    @property
    def version(self) -> int:
        """The lowest version number of the account that any of these terms was read at."""
        return min(terms.version for terms in (self.current, *self._past.values()))
