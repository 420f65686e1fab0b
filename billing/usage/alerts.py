"""How far limits are used up, and which alerts said so (M9)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from billing.core.periods import Period, day_containing
from billing.plans.features import FEATURES
from billing.subscriptions.terms import AccountTerms
from billing.usage.allowances import DAY_CAP, OVERAGE
from billing.usage.models import BurnAlert
from billing.usage.queries import counters_of

THRESHOLDS = (50, 80, 100)
"""In percent of a limit."""
EXECUTIONS, TOKENS, USER_CAP = "executions_per_month", "tokens_per_month", "spend_cap_per_user_day"
WATCHED = (EXECUTIONS, TOKENS, OVERAGE, DAY_CAP)
"""The limits of an account whose way to the end is told of; a user's cap is told of once it is reached."""
OVERAGE_CEILING = "overage-ceiling"
Position = tuple[datetime, UUID]
"""Where a page of alerts ends: when its last one was written, and its id."""


@dataclass(frozen=True, slots=True)
class Burn:
    """How much of a limit is used, in its unit or in the account's currency. `percent` is rounded down.

    `subject` is the user whose cap it is; empty for a limit of the whole account.
    """

    feature: str
    name: str
    used: Decimal
    quota: Decimal
    percent: int
    window: Period
    source: str
    subject: str = ""

    def has_passed(self, threshold: int) -> bool:
        """Whether this share of the limit, in percent, is used; nothing is, as long as nothing was used."""
        return self.used > 0 and self.used * 100 >= self.quota * threshold


def burn_of(terms: AccountTerms, feature: str, used: Decimal, at: datetime, *, subject: str = "") -> Burn | None:
    """How much of a watched limit is used; None where there is none."""
    if feature == OVERAGE:
        quota, source = (terms.overage.ceiling, OVERAGE_CEILING) if terms.overage is not None else (None, "")
        name = "Paid executions past the limit"
    else:
        limit, name = terms.limit(feature), FEATURES[feature].name
        quota, source = limit.number, limit.source
    if quota is None:
        return None
    percent = int(used * 100 / quota) if quota else 100
    return Burn(feature, name, used, quota, percent, window_of(terms, feature, at), source, subject)


def window_of(terms: AccountTerms, feature: str, at: datetime) -> Period:
    """The window that a watched limit counts in: a UTC day or the billing period."""
    return day_containing(at) if feature in {DAY_CAP, USER_CAP} else terms.period(at)


def burns_of(terms: AccountTerms, at: datetime) -> list[Burn]:
    """How far the account's limits are used up, running authorizations counted; one query."""
    windows = {feature: window_of(terms, feature, at).start for feature in WATCHED}
    used = counters_of(account_id=terms.account_id, windows=windows)
    burns = (burn_of(terms, feature, used[feature], at) for feature in WATCHED)
    return [burn for burn in burns if burn is not None]


def alerts_of(*, account_id: UUID, limit: int, before: Position | None = None) -> list[BurnAlert]:
    """Alerts of an account, told by e-mail or not, the newest first, older than the position `before`."""
    alerts = BurnAlert.objects.filter(account_id=account_id)
    if before is not None:
        at, last = before
        alerts = alerts.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last))
    return list(alerts.order_by("-created_at", "-id")[:limit])
