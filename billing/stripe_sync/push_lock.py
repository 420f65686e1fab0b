"""One process at a time sets things up at Stripe."""

from django.db import connection

_KEY = 0x5155_4145_0002  # any number that nothing else in this database locks


def lock_push() -> None:
    """Wait for whoever pushes or connects now; held until the transaction ends.

    What must not be made twice at Stripe has no row to lock yet, therefore an advisory lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])
