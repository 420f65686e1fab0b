from django.db import connection

from billing.usage.models.rollup import DIMENSIONS, SUMS

_DIMENSIONS, _SUMS = ", ".join(DIMENSIONS), ", ".join(SUMS)
# Rows of one meter are summed first and written in the order of the key: two workers that fold at once take disjoint
# deltas, and wait for each other at most on a rollup, never in a circle.
_FOLD = f"""
    WITH taken AS (
        DELETE FROM billing_usage_usagedelta
         WHERE id IN (SELECT id FROM billing_usage_usagedelta ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING *
    ), folded AS (
        INSERT INTO billing_usage_usagerollup AS r ({_DIMENSIONS}, {_SUMS})
        SELECT {_DIMENSIONS}, {", ".join(f"sum({name})" for name in SUMS)}
          FROM taken GROUP BY {_DIMENSIONS} ORDER BY {_DIMENSIONS}
        ON CONFLICT ({_DIMENSIONS}) DO UPDATE SET {", ".join(f"{name} = r.{name} + excluded.{name}" for name in SUMS)}
    )
    SELECT count(*) FROM taken
"""


def flush_rollups(*, limit: int = 20_000) -> int:
    """Fold up to `limit` deltas into rollups, in one statement; answers how many. Safe with any number of workers."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, [limit])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def flush_all_rollups(*, limit: int = 20_000) -> int:
    """Fold until nothing is left to take; answers how many deltas were folded."""
    total = 0
    while taken := flush_rollups(limit=limit):
        total += taken
    return total
