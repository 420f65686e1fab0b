from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from billing.subscriptions import directory
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import THRESHOLDS, USER_CAP, WATCHED, Burn, burn_of
from billing.usage.models import UsageWatch
from billing.usage.services.tell_of_low_balances import forget_recovered, tell_of_low_balances
from billing.usage.services.write_alerts import Finding, write_alerts

_BATCH = 100
_TAKE = """
    DELETE FROM billing_usage_usagewatch WHERE account_id IN (
        SELECT account_id FROM billing_usage_usagewatch ORDER BY touched_at LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING account_id
"""
# What has reached the lowest share that is told of, whatever else the account counts.
_USED = """
    SELECT c.account_id, c.feature, c.subject, c.used
      FROM unnest(%(accounts)s::uuid[], %(features)s::text[], %(starts)s::timestamptz[], %(least)s::numeric[])
           AS w (account_id, feature, start, least)
      JOIN billing_usage_counter AS c ON c.account_id = w.account_id AND c.feature = w.feature AND c.subject = ''
           AND c.window_start = w.start AND c.used >= w.least
"""
_USED_BY_USERS = """
    SELECT c.account_id, c.feature, c.subject, c.used
      FROM unnest(%(accounts)s::uuid[], %(features)s::text[], %(starts)s::timestamptz[], %(least)s::numeric[])
           AS w (account_id, feature, start, least)
      JOIN billing_usage_counter AS c ON c.account_id = w.account_id AND c.window_start = w.start AND c.subject <> ''
           AND c.feature = w.feature AND c.used >= w.least
     ORDER BY c.account_id, c.subject
"""


class Watched(NamedTuple):
    """An account whose usage has changed, its tenant and credits with it, and its terms now."""

    account: BillingAccount
    terms: AccountTerms


def watch_usage(*, at: datetime, limit: int = 500) -> int:
    """Compare the usage of accounts that it has changed of with their limits, and tell of what was passed (M9).

    Answers how many accounts were looked at, `limit` at most. Workers at once share them. An account is taken off the
    list, its alerts written and their e-mails put into the outbox together, or nothing of it; whatever happens to it
    meanwhile puts it on the list again.
    """
    forget_recovered()
    looked_at = 0
    while looked_at < limit and (taken := _watch_some(at, min(_BATCH, limit - looked_at))):
        looked_at += taken
    return looked_at


def _watch_some(at: datetime, most: int) -> int:
    # Read what can be read beforehand: while an account is being taken, whoever folds its usage waits.
    _terms_now(list(UsageWatch.objects.order_by("touched_at").values_list("account_id", flat=True)[:most]), at)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [most])
            taken = [account_id for (account_id,) in cursor.fetchall()]
        watched = _terms_now(taken, at) if taken else []
        write_alerts(list(_findings(watched, at)), at=at)
        tell_of_low_balances([one.account for one in watched if one.terms.usage_funding == "credits"], at=at)
    return len(taken)


def _terms_now(account_ids: Sequence[UUID], at: datetime) -> list[Watched]:
    """Accounts with their terms, read again where they have changed since; those without a plan are left out."""
    accounts = BillingAccount.objects.select_related("tenant", "credits").filter(id__in=account_ids)
    watched = []
    for account in accounts.order_by("id"):
        try:
            watched.append(Watched(account, _terms(account, at)))
        except NoActivePlan:
            continue
    return watched


def _terms(account: BillingAccount, at: datetime) -> AccountTerms:
    terms = directory.terms_at(account.id, at)
    if terms.version < account.version:
        directory.forget(account.id)
        terms = directory.terms_at(account.id, at)
    return terms


def _findings(watched: Sequence[Watched], at: datetime) -> Iterator[Finding]:
    by_id = {one.account.id: one for one in watched}
    limits = [
        (one.account.id, limit)
        for one in watched
        for feature in (*WATCHED, USER_CAP)
        if (limit := burn_of(one.terms, feature, Decimal(0), at)) is not None
    ]
    for_users = [(account_id, limit) for account_id, limit in limits if limit.feature == USER_CAP]
    for_all = [(account_id, limit) for account_id, limit in limits if limit.feature != USER_CAP]
    rows = [*_used(_USED, for_all, share=THRESHOLDS[0]), *_used(_USED_BY_USERS, for_users, share=THRESHOLDS[-1])]
    for account_id, feature, subject, used in rows:
        account, terms = by_id[account_id]
        burn = burn_of(terms, feature, used, at, subject=subject)
        if burn is not None:
            yield Finding(account, terms, burn)


def _used(statement: str, limits: Sequence[tuple[UUID, Burn]], *, share: int) -> list[tuple[UUID, str, str, Decimal]]:
    """Account, feature, user and what is used, of the limits of which this share in percent is."""
    if not limits:
        return []
    parameters: dict[str, Any] = {
        "accounts": [account_id for account_id, _ in limits],
        "features": [limit.feature for _, limit in limits],
        "starts": [limit.window.start for _, limit in limits],
        "least": [limit.quota * share / 100 for _, limit in limits],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[UUID, str, str, Decimal]] = cursor.fetchall()
    return rows
