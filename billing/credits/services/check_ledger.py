from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

# An expiry task that is late by this much leaves an orphan, not a hold that is just due.
_GRACE = timedelta(minutes=10)

_TOTALS = """
    WITH lines AS (
        SELECT debit_account_id, credit_account_id,
               CASE WHEN phase IN ('posted', 'post_pending') THEN amount ELSE 0 END AS posted,
               CASE WHEN phase = 'pending' AND NOT EXISTS (
                   SELECT FROM billing_credits_transfer AS r WHERE r.pending_id = t.id) THEN amount ELSE 0 END AS held
          FROM billing_credits_transfer AS t
    ), moved AS (
        SELECT account, sum(debit) AS debits, sum(credit) AS credits, sum(held) AS pending FROM (
            SELECT debit_account_id AS account, posted AS debit, 0 AS credit, held FROM lines
            UNION ALL
            SELECT credit_account_id, 0, posted, 0 FROM lines
        ) AS sides GROUP BY account
    )
    SELECT l.id, l.kind, l.debits_posted, COALESCE(m.debits, 0), l.credits_posted, COALESCE(m.credits, 0),
           l.debits_pending, COALESCE(m.pending, 0)
      FROM billing_credits_ledgeraccount AS l LEFT JOIN moved AS m ON m.account = l.id
     WHERE l.kind IN ('credits', 'receivable', 'payable')
       AND (l.debits_posted, l.credits_posted, l.debits_pending)
           IS DISTINCT FROM (COALESCE(m.debits, 0), COALESCE(m.credits, 0), COALESCE(m.pending, 0))
     ORDER BY l.id
"""
_ZERO_SUM = """
    SELECT d.currency, sum(CASE WHEN d.currency = c.currency THEN 0 ELSE t.amount END)
      FROM billing_credits_transfer AS t
      JOIN billing_credits_ledgeraccount AS d ON d.id = t.debit_account_id
      JOIN billing_credits_ledgeraccount AS c ON c.id = t.credit_account_id
     GROUP BY 1 HAVING sum(CASE WHEN d.currency = c.currency THEN 0 ELSE t.amount END) <> 0
"""
_ORPHANS = """
    SELECT t.id, t.amount, t.expires_at FROM billing_credits_transfer AS t
     WHERE t.phase = 'pending' AND t.expires_at < %s
       AND NOT EXISTS (SELECT FROM billing_credits_transfer AS r WHERE r.pending_id = t.id)
     ORDER BY t.expires_at
"""
_RESOLUTIONS = """
    SELECT r.id, r.phase, p.id, p.phase FROM billing_credits_transfer AS r
      JOIN billing_credits_transfer AS p ON p.id = r.pending_id
     WHERE p.phase <> 'pending' OR r.debit_account_id <> p.debit_account_id
        OR r.credit_account_id <> p.credit_account_id OR (r.phase = 'void_pending' AND r.amount <> p.amount)
"""
_GRANTS = """
    SELECT l.id, l.credits_posted, COALESCE(sum(g.amount), 0), l.credits_posted - l.debits_posted,
           COALESCE(sum(g.amount - g.consumed - g.expired), 0)
      FROM billing_credits_ledgeraccount AS l LEFT JOIN billing_credits_grant AS g ON g.account_id = l.id
     WHERE l.kind = 'credits'
     GROUP BY l.id
    HAVING l.credits_posted <> COALESCE(sum(g.amount), 0)
        OR l.credits_posted - l.debits_posted > COALESCE(sum(g.amount - g.consumed - g.expired), 0)
"""
# What became of a purchase: the grant, the fee, and the sum of its corrections (taken less given back).
_PURCHASES = """
    WITH purchases AS (
        SELECT u.id, u.state, u.taken_back, u.movements,
               u.amount * (u.state = 'credited')::int AS amount, u.fee * (u.state = 'credited')::int AS fee,
               'topup:' || u.id AS key, 'grant:' || u.account_id || ':topup:' || u.id AS grant_key
          FROM billing_credits_topup AS u
    ), found AS (
        SELECT p.*,
               COALESCE((
                   SELECT t.amount FROM billing_credits_transfer AS t WHERE t.idempotency_key = p.grant_key),
                   0) AS granted,
               COALESCE((
                   SELECT t.amount FROM billing_credits_transfer AS t
                    WHERE t.idempotency_key = p.key || ':fee'), 0) AS fee_taken,
               COALESCE((
                   SELECT sum(CASE c.kind WHEN 'funding' THEN t.amount ELSE -t.amount END)
                     FROM generate_series(1, p.movements) AS n
                     JOIN billing_credits_transfer AS t ON t.idempotency_key IN (
                          p.key || ':' || n || ':credits', p.key || ':' || n || ':owed',
                          p.grant_key || ':' || n || ':credits')
                     JOIN billing_credits_ledgeraccount AS c ON c.id = t.credit_account_id), 0) AS moved_back
          FROM purchases AS p
    )
    SELECT id, state, amount, granted, fee, fee_taken, taken_back, moved_back FROM found
     WHERE (amount, fee, taken_back) IS DISTINCT FROM (granted, fee_taken, moved_back)
     ORDER BY id
"""
# What a creator is owed comes from sales and payouts that came back, and leaves by payouts.
_CREATORS = """
    SELECT c.id, l.credits_posted, COALESCE(s.shares, 0) + COALESCE(p.returned, 0), l.debits_posted, COALESCE(p.paid, 0)
      FROM billing_credits_creator AS c
      JOIN billing_credits_ledgeraccount AS l ON l.id = c.payable_id
      LEFT JOIN (
           SELECT creator_id, sum(creator_share) AS shares FROM billing_credits_sale GROUP BY 1
           ) AS s ON s.creator_id = c.id
      LEFT JOIN (
           SELECT creator_id, sum(amount) AS paid, sum(returned) AS returned FROM billing_credits_payout GROUP BY 1
           ) AS p ON p.creator_id = c.id
     WHERE (l.credits_posted, l.debits_posted)
           IS DISTINCT FROM (COALESCE(s.shares, 0) + COALESCE(p.returned, 0), COALESCE(p.paid, 0))
     ORDER BY c.id
"""


def check_ledger(*, at: datetime) -> list[str]:
    """Everything in the ledger that does not add up, one sentence each; an empty list is the proof.

    Every cached total equals the sum of its transfers; no transfer crosses currencies, so that debits and credits
    cancel out; every resolution fits its hold; no hold outlives its expiry; grants cover every balance; purchases were
    credited once, with their fee, less what was taken back; creators are owed what was sold less what was paid out.
    Each check is one statement and so sees one moment: it may run while the ledger is in use.
    """
    return list(_findings(at))


def _findings(at: datetime) -> Iterator[str]:
    for row in _rows(_TOTALS):
        yield (
            f"Account {row[0]} ({row[1]}): debits {row[2]} cached, {row[3]} in transfers; credits {row[4]} cached, "
            f"{row[5]} in transfers; pending {row[6]} cached, {row[7]} in transfers."
        )
    for row in _rows(_ZERO_SUM):
        yield f"Transfers of {row[1]} {row[0]} end in another currency: the ledger does not sum to zero."
    for row in _rows(_ORPHANS, at - _GRACE):
        yield f"Hold {row[0]} of {row[1]} was due at {row[2]:%Y-%m-%d %H:%M:%S} and is still pending."
    for row in _rows(_RESOLUTIONS):
        yield f"Transfer {row[0]} ({row[1]}) does not fit transfer {row[2]} ({row[3]}), which it resolves."
    for row in _rows(_GRANTS):
        yield (
            f"Account {row[0]}: {row[1]} came in, grants say {row[2]}; the balance is {row[3]}, "
            f"grants have {row[4]} left."
        )
    for row in _rows(_PURCHASES):
        yield (
            f"Purchase {row[0]} ({row[1]}): credits of {row[2]}, {row[3]} granted; a fee of {row[4]}, {row[5]} taken; "
            f"{row[6]} taken back, {row[7]} in transfers."
        )
    for row in _rows(_CREATORS):
        yield (
            f"Creator {row[0]}: {row[1]} came in, sales and returned payouts say {row[2]}; {row[3]} went out, "
            f"payouts say {row[4]}."
        )


def _rows(sql: str, *parameters: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [tuple(f"{value:f}" if isinstance(value, Decimal) else value for value in row) for row in cursor]
