from datetime import datetime
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from billing.subscriptions.models import BillingAccount
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import USER_CAP, WATCHED, burn_of
from billing.usage.services.write_alerts import Finding, write_alerts

_MOST = 50_000  # entries; a process that refuses more starts over
_Key = tuple[UUID, str, str, datetime]
_noted: set[_Key] = set()
_log = structlog.get_logger(__name__)


def note_refusal(
    *, terms: AccountTerms, feature: str, subject: str, window_start: datetime, used: Decimal, at: datetime
) -> None:
    """Write down that a limit has refused a run: the alert of 100 %, with its e-mail (M9).

    Looked at once a process and window, so that the refusals after it cost nothing. What goes wrong here is logged and
    leaves the refusal as it is. Limits that are not watched leave nothing.
    """
    key = terms.account_id, feature, subject, window_start
    if key in _noted or feature not in {*WATCHED, USER_CAP}:
        return
    burn = burn_of(terms, feature, used, at, subject=subject)
    try:
        with transaction.atomic():
            account = BillingAccount.objects.select_related("tenant").get(id=terms.account_id)
            if burn is not None:
                write_alerts([Finding(account, terms, burn, refused=True)], at=at)
    except DatabaseError:
        _log.exception("refusal_not_noted", account=str(terms.account_id), feature=feature)
        return
    if len(_noted) >= _MOST:
        _noted.clear()
    _noted.add(key)
