from datetime import datetime, timedelta

from django.db import connection, transaction

KEPT = timedelta(days=30, hours=1)  # an hour more than promised: the database has a clock of its own
_BATCH = 1000
# Whoever was tried within that time is kept whole, and whoever is yet to be, unless nobody will.
_OLD = """
    SELECT d.id FROM billing_notifications_webhookdelivery AS d
      JOIN billing_notifications_webhookendpoint AS p ON p.id = d.endpoint_id
     WHERE d.created_at <= %(before)s AND (d.state <> 'pending' OR p.state <> 'enabled')
       AND NOT EXISTS (SELECT FROM billing_notifications_webhookattempt AS a
                        WHERE a.delivery_id = d.id AND a.at > %(before)s)
     LIMIT %(batch)s FOR NO KEY UPDATE OF d SKIP LOCKED
"""
_ATTEMPTS = "DELETE FROM billing_notifications_webhookattempt WHERE delivery_id = ANY(%(ids)s)"
_DELIVERIES = "DELETE FROM billing_notifications_webhookdelivery WHERE id = ANY(%(ids)s)"
_EVENTS = """
    DELETE FROM billing_notifications_webhookevent AS e
     WHERE e.created_at <= %(before)s
       AND NOT EXISTS (SELECT FROM billing_notifications_webhookdelivery AS d WHERE d.event_id = e.id)
"""


def forget_webhooks(*, at: datetime) -> int:
    """Delete deliveries of more than 30 days ago, with their tries and events; answers how many deliveries (N1)."""
    before, forgotten = at - KEPT, 0
    while batch := _forget(before):
        forgotten += batch
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {"before": before})
    return forgotten


@transaction.atomic
def _forget(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_OLD, {"before": before, "batch": _BATCH})
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            cursor.execute(_ATTEMPTS, {"ids": ids})
            cursor.execute(_DELIVERIES, {"ids": ids})
    return len(ids)
