"""How much of each limit is used: what the overview warns of, and the rows of the alerts page (P3, P8, M9)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from billing.console.limit_texts import SESSIONS, Share, percent_of, slowed_text
from billing.plans.features import FEATURES, FeatureKind
from billing.subscriptions.own_caps import overage_price
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import OVERAGE_CEILING, USER_CAP
from billing.usage.allowances import OVERAGE, Standing

_WITHOUT_WINDOW = frozenset({FeatureKind.GAUGE, FeatureKind.CONCURRENCY})


def shares_of_standing(standing: Standing, live: int, terms: AccountTerms, at: datetime) -> list[Share]:
    """The limited ones of everything that a plan counts, `live` sessions and money with them."""
    used = {feature: Decimal(allowance.used) for feature, allowance in standing.allowances.items()}
    used |= {feature: spending.used for feature, spending in standing.spend.items()} | {SESSIONS: Decimal(live)}
    shares = []
    for feature in (code for code in terms.limits if code in used):
        quota = terms.limit(feature).number
        if quota is not None:
            ends = None if FEATURES[feature].kind in _WITHOUT_WINDOW else terms.window(feature, at).end
            source = terms.limit(feature).source
            shares.append(_share(feature, used[feature], quota, terms, resets_at=ends, source=source))
    if terms.overage is not None:
        ends, ceiling = terms.period(at).end, terms.overage.ceiling
        shares.append(_share(OVERAGE, standing.overage, ceiling, terms, resets_at=ends, source=OVERAGE_CEILING))
    return shares


def share_of_user(user: str, used: Decimal, terms: AccountTerms, at: datetime) -> Share | None:
    """How much of a user's cap of the day is used; None where there is no such cap."""
    limit = terms.limit(USER_CAP)
    if limit.number is None:
        return None
    ends = terms.window(USER_CAP, at).end
    return _share(USER_CAP, used, limit.number, terms, resets_at=ends, source=limit.source, user=user)


def near_limits(shares: Iterable[Share]) -> Sequence[Share]:
    """Those that are nearly used up, or slow runs already, the fullest first."""
    near = [share for share in shares if share.needs_advice]
    return sorted(near, key=lambda share: -share.percent)


def _share(
    feature: str,
    used: Decimal,
    quota: Decimal,
    terms: AccountTerms,
    *,
    resets_at: datetime | None,
    source: str,
    user: str = "",
) -> Share:
    return Share(
        feature=feature,
        used=used,
        quota=quota,
        percent=percent_of(used, quota),
        resets_at=resets_at,
        source=source,
        currency=terms.currency,
        user=user,
        overage_price=overage_price(terms.limits, terms.meters),
        has_overage=terms.overage is not None,
        slowed=slowed_text(terms.limit(feature), used) if used < quota else "",
    )
