from django.db import connection


def flush_rollups(*, limit: int = 2_000) -> int:
    """Fold up to `limit` deltas into rollups, in one transaction; answers how many. Safe with any number of workers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quaestor_fold_usage(%s)", [limit])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def flush_all_rollups(*, limit: int = 2_000) -> int:
    """Fold until nothing is left to take; answers how many deltas were folded."""
    total = 0
    while taken := flush_rollups(limit=limit):
        total += taken
    return total
