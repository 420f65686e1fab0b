"""Taking deliveries that are due: one an endpoint, in the order of each object, whatever number of workers ask (N1).

The lease lies on the endpoint's row, so that an endpoint has one delivery in flight. What is next there is looked up
by a statement of its own once the row is locked: only then does it see what the last worker has written.

A tenant has few calls under way in a lane: the leases that run, those of removed endpoints too. One worker at a time
takes leases in a lane, so that none is missed in the count. Nothing but the end of a call moves it to the other lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from billing.notifications.models import WebhookDelivery, WebhookEndpoint

_GRACE = timedelta(seconds=45)  # for what surrounds the call
_LOCK = 0x5155_4145_0010  # the lanes' numbers follow; any that nothing else in this database locks


class Lane(StrEnum):
    """Endpoints that answered well and fast last are served apart from all others, so that none waits for those."""

    REGULAR = "regular"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker may try once, with its event, endpoint and secrets."""

    delivery: WebhookDelivery
    lease: UUID


# What was asked for by hand stands outside of the order.
_DUE = """
    d.endpoint_id = p.id AND d.state = 'pending' AND d.due_at <= %(at)s
    AND (d.by_hand OR NOT EXISTS (
        SELECT FROM billing_notifications_webhookdelivery AS e
         WHERE e.endpoint_id = d.endpoint_id AND e.object_id = d.object_id AND e.state = 'pending'
           AND NOT e.by_hand AND e.event_id < d.event_id))
"""
_FREE = """
    p.state = 'enabled' AND p.is_slow = %(slow)s
    AND (p.lease IS NULL OR p.leased_until <= %(at)s) AND (p.rests_until IS NULL OR p.rests_until <= %(at)s)
"""
_LEASE = f"""
    WITH busy AS MATERIALIZED (
        SELECT p.tenant_id, count(*) AS calls FROM billing_notifications_webhookendpoint AS p
         WHERE p.lease IS NOT NULL AND p.is_slow = %(slow)s AND p.leased_until > %(at)s
         GROUP BY p.tenant_id
    ), ready AS MATERIALIZED (
        SELECT p.id, p.leased_until, coalesce(b.calls, 0)
               + row_number() OVER (PARTITION BY p.tenant_id ORDER BY p.leased_until NULLS FIRST, p.id) AS place
          FROM billing_notifications_webhookendpoint AS p LEFT JOIN busy AS b ON b.tenant_id = p.tenant_id
         WHERE {_FREE} AND coalesce(b.calls, 0) < %(most)s
           AND EXISTS (SELECT FROM billing_notifications_webhookdelivery AS d WHERE {_DUE})
    ), free AS MATERIALIZED (
        SELECT p.id FROM billing_notifications_webhookendpoint AS p
         WHERE {_FREE} AND p.id IN (
            SELECT r.id FROM ready AS r WHERE r.place <= %(most)s
             ORDER BY r.leased_until NULLS FIRST LIMIT %(limit)s)
           FOR NO KEY UPDATE OF p SKIP LOCKED
    )
    UPDATE billing_notifications_webhookendpoint AS p
       SET lease = gen_random_uuid(), leased_until = %(until)s
      FROM free WHERE p.id = free.id
    RETURNING p.id, p.lease
"""
_NEXT = f"""
    SELECT next.id FROM unnest(%(endpoints)s::uuid[]) AS p (id)
     CROSS JOIN LATERAL (
        SELECT d.id FROM billing_notifications_webhookdelivery AS d WHERE {_DUE}
         ORDER BY d.due_at, d.event_id LIMIT 1) AS next
"""


@transaction.atomic
def claim(*, lane: Lane, limit: int, at: datetime) -> list[Claim]:
    """Deliveries that are due, one an endpoint and few a tenant; those served least recently come first.

    A claim that is not reported on comes back when its lease ends: its worker was killed.
    """
    with connection.cursor() as cursor:
        leases = _lease(cursor, lane, limit, at)
        if not leases:
            return []
        cursor.execute(_NEXT, {"endpoints": list(leases), "at": at})
        chosen = [row[0] for row in cursor.fetchall()]
    WebhookDelivery.objects.filter(id__in=chosen).update(tries=F("tries") + 1)
    rows = WebhookDelivery.objects.filter(id__in=chosen).select_related(
        "event", "endpoint__secret", "endpoint__previous_secret"
    )
    claims = [Claim(delivery, leases.pop(delivery.endpoint_id)) for delivery in rows.order_by("due_at")]
    _free(list(leases), at)
    return claims


def _lease(cursor: CursorWrapper, lane: Lane, limit: int, at: datetime) -> dict[UUID, UUID]:
    """Endpoints with their new leases. The lock comes first: what follows sees what its last holder has leased."""
    slow = lane == Lane.SLOW
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK + slow])
    until = at + timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS) + _GRACE
    most = settings.WEBHOOKS_AT_ONCE_OF_A_TENANT
    cursor.execute(_LEASE, {"slow": slow, "at": at, "until": until, "limit": limit, "most": most})
    return dict(cursor.fetchall())


def _free(endpoint_ids: Sequence[UUID], at: datetime) -> None:
    """Endpoints whose last delivery another worker has finished meanwhile."""
    if endpoint_ids:
        WebhookEndpoint.objects.filter(id__in=endpoint_ids).update(lease=None, leased_until=at)


@transaction.atomic
def give_back(taken: Claim, *, at: datetime) -> None:
    """The try was none, through no fault of the endpoint's: the delivery is due again in a minute."""
    ours = WebhookEndpoint.objects.filter(id=taken.delivery.endpoint_id, lease=taken.lease)
    if ours.update(lease=None, leased_until=at):
        pending = WebhookDelivery.objects.filter(id=taken.delivery.id, state=WebhookDelivery.State.PENDING, tries__gt=0)
        pending.update(tries=F("tries") - 1, due_at=at + timedelta(minutes=1))
