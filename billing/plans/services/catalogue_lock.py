from django.db import connection

_KEY = 0x5155_4145_0001  # any number that nothing else in this database locks


def lock_catalogue() -> None:
    """Let one transaction at a time change plans or model prices; the others wait until it ends.

    An advisory lock, because what must not be made twice (the first version, the first price) has no row to lock yet.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])
