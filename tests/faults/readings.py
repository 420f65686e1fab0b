"""What a database holds after a replay, read by SQL alone."""

from datetime import datetime, timedelta
from typing import Any

import psycopg

from tests.faults.reckoning import Figures

_METER = "account_id, period_start, product, unit, provider, model, credential_source"
_SUMS = "requests, input_tokens, output_tokens, cached_input_tokens, cost"
# Each: the columns of the key after the account, then the figures.
_TABLES: dict[str, tuple[str, int]] = {
    "events": ("SELECT account_id, funding, count(*), sum(cost) FROM billing_usage_usageevent GROUP BY 1, 2", 2),
    "periods": (f"SELECT {_METER}, quantity, {_SUMS} FROM billing_usage_periodrollup", 6),
    "days": (f"SELECT {_METER}, day, quantity, {_SUMS} FROM billing_usage_usagerollup", 6),
    "places": (f"SELECT account_id, period_start, office, agent, {_SUMS} FROM billing_usage_placerollup", 5),
    "sessions": (
        f"SELECT account_id, period_start, session, office, agent, {_SUMS} FROM billing_usage_sessionrollup", 5
    ),
    "session spans": (
        "SELECT account_id, period_start, session, first_at, last_at FROM billing_usage_sessionrollup", 2
    ),
    "counters": (
        "SELECT account_id, feature, subject, window_start, used FROM billing_usage_counter WHERE used <> 0", 1
    ),
    "runs": ("SELECT account_id, state, count(*) FROM billing_runtime_authorization GROUP BY 1, 2", 1),
    "slots": ("SELECT account_id, name, sum(runs), sum(open_runs) FROM billing_runtime_session GROUP BY 1, 2", 2),
}  # fmt: skip
_MONEY = """
    SELECT a.id, c.credits_posted - c.debits_posted, c.debits_pending, r.debits_posted - r.credits_posted
      FROM billing_subscriptions_billingaccount AS a
      JOIN billing_credits_ledgeraccount AS c ON c.id = a.credits_id
      JOIN billing_credits_ledgeraccount AS r ON r.id = a.receivable_id
"""
# Reservations, holds, unfolded deltas, and slots that are still taken when all leases have run out.
_LEFT_OVER = """
    SELECT (SELECT count(*) FROM billing_usage_counter WHERE reserved <> 0),
           (SELECT count(*) FROM billing_credits_transfer AS t WHERE phase = 'pending' AND NOT EXISTS (
                SELECT FROM billing_credits_transfer AS x WHERE x.pending_id = t.id)),
           (SELECT count(*) FROM billing_usage_usagedelta),
           (SELECT count(*) FROM billing_runtime_session WHERE ended_at IS NULL AND lease_until > %s)
"""


def read(url: str, names: dict[str, str], at: datetime) -> Figures:
    """The figures by the names that `reckoning` gives them; `names` are the customers' by account id."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        read = {name: _table(connection, names, *table) for name, table in _TABLES.items()}
        money = {names[str(row[0])]: row[1:] for row in connection.execute(_MONEY)}
        left_over = connection.execute(_LEFT_OVER, [at + timedelta(minutes=20)]).fetchone()
    return read | {"money": money, "left over": left_over}


def _table(
    connection: psycopg.Connection[tuple[Any, ...]], names: dict[str, str], query: str, figures: int
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = connection.execute(query).fetchall()
    return {(names[str(row[0])], *row[1:-figures]): row[-figures:] for row in rows}


def compare(read: Figures, reckoned: Figures) -> list[str]:
    """What differs, in words; nothing where all is equal to the last digit."""
    faults = [
        f"{name}: {read[name]} is not {reckoned[name]}"
        for name in ("money", "left over")
        if read[name] != reckoned[name]
    ]
    for name in _TABLES:
        for key in read[name].keys() | reckoned[name].keys():
            found, expected = read[name].get(key), reckoned[name].get(key)
            if found != expected:
                faults.append(f"{name} {key}: {found} is not {expected}")
    return faults
