from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, connection, transaction

_log = structlog.get_logger(__name__)
_TAKE_BY_ACCOUNT = """
    SELECT account_id, array_agg(id) FROM (
        SELECT id, account_id FROM billing_usage_usagedelta ORDER BY id LIMIT %s FOR UPDATE
    ) AS taken GROUP BY account_id ORDER BY account_id
"""


def flush_rollups(*, limit: int = 2_000) -> int:
    """Fold up to `limit` deltas into rollups, in one transaction; answers how many. Safe with any number of workers.

    Where they cannot be folded together, because a figure does not fit, each account's are folded by themselves.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT quaestor_fold_usage(%s)", [limit])
            row = cursor.fetchone()
    except (DataError, IntegrityError):
        return _fold_by_account(limit)
    return int(row[0]) if row else 0


def flush_all_rollups(*, limit: int = 2_000) -> int:
    """Fold until nothing is left to take; answers how many deltas were folded."""
    total = 0
    while taken := flush_rollups(limit=limit):
        total += taken
    return total


@transaction.atomic
def _fold_by_account(limit: int) -> int:
    """Fold what can be folded; what cannot goes to the end of the queue, is told, and waits for rebuild_rollups.

    Nobody else folds meanwhile: account by account, two workers could wait for each other's rows in a circle.
    """
    folded = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7301)")
        cursor.execute(_TAKE_BY_ACCOUNT, [limit])
        for account_id, deltas in cursor.fetchall():
            folded += _fold_account(account_id, deltas)
    return folded


def _fold_account(account_id: UUID, deltas: list[int]) -> int:
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("SELECT quaestor_fold_deltas(%s)", [deltas])
        except (DataError, IntegrityError) as error:
            _log.error("usage_not_folded", account_id=str(account_id), deltas=len(deltas), error=str(error))
            cursor.execute("UPDATE billing_usage_usagedelta SET id = DEFAULT WHERE id = ANY (%s)", [deltas])
            return 0
    return len(deltas)
