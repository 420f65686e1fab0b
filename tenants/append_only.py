"""Tables that only grow: refused by triggers, so that SQL by hand is refused too."""

import pgtrigger


def no_truncate() -> pgtrigger.Trigger:
    """Refuse TRUNCATE, which fires no row triggers."""
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate rows from % table', TG_TABLE_NAME;",
    )


def kept() -> list[pgtrigger.Trigger]:
    """Refuse DELETE and TRUNCATE of rows that change, but never go."""
    return [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete), no_truncate()]


def append_only() -> list[pgtrigger.Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE."""
    return [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete), no_truncate()]
