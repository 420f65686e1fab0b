from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.services.disable_endpoint import switch_off
from billing.notifications.services.tell_of_disabled_endpoint import tell_of_disabled_endpoint
from billing.notifications.webhook_claims import Claim
from billing.notifications.webhook_posting import Outcome
from billing.notifications.webhook_retries import GIVEN_UP_AFTER, wait_after
from billing.notifications.webhook_rows import audit_endpoint
from tenants.services.record_audit import SYSTEM

_MILLISECOND = timedelta(milliseconds=1)
State, Reason = WebhookDelivery.State, WebhookEndpoint.Reason


@transaction.atomic
def record_attempt(*, taken: Claim, outcome: Outcome, at: datetime) -> None:
    """Write down what became of a try, for the delivery and for its endpoint, which is free again (N1).

    A worker whose lease has run out writes down its try, and what was delivered; the rest is the next worker's.
    """
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(id=taken.delivery.endpoint_id)
    delivery = WebhookDelivery.objects.select_for_update(no_key=True).get(id=taken.delivery.id)
    is_ours = endpoint.lease == taken.lease
    WebhookAttempt.objects.create(
        delivery=delivery,
        at=at,
        status_code=outcome.status,
        answer=outcome.answer,
        error=outcome.error[:300],
        duration_ms=outcome.duration // _MILLISECOND,
        manual=_is_manual(taken.delivery),
    )
    if not outcome.error:
        delivery.state, delivery.delivered_at = State.DELIVERED, at
    elif is_ours and delivery.state == State.PENDING:
        _put_off(delivery, outcome, at)
    if delivery.state != State.DELIVERED or not outcome.error:
        delivery.error = outcome.error[:300]
    delivery.save(update_fields=["state", "delivered_at", "due_at", "error"])
    if is_ours:
        _free(endpoint, outcome, at, is_same=endpoint.url == taken.delivery.endpoint.url)


def _is_manual(claimed: WebhookDelivery) -> bool:
    """The first try since it was asked for again, of one that was tried, or given up, before."""
    return claimed.tries == 1 and (claimed.by_hand or WebhookAttempt.objects.filter(delivery=claimed).exists())


def _put_off(delivery: WebhookDelivery, outcome: Outcome, at: datetime) -> None:
    wait = wait_after(delivery.tries, asked=outcome.rest) if delivery.tries else timedelta(0)
    if wait is None:
        delivery.state = State.FAILED
    else:
        delivery.due_at = at + wait


def _free(endpoint: WebhookEndpoint, outcome: Outcome, at: datetime, *, is_same: bool) -> None:
    """`is_same`: the address was not changed meanwhile, so that the outcome says something of it."""
    endpoint.lease, endpoint.leased_until, endpoint.is_slow = None, at, False
    if is_same:
        endpoint.is_slow = bool(outcome.error) or outcome.duration.total_seconds() > settings.WEBHOOK_SLOW_SECONDS
        endpoint.failing_since = (endpoint.failing_since or at) if outcome.error else None
        endpoint.rests_until = at + outcome.rest if outcome.error and outcome.rest else None
    endpoint.save(update_fields=["lease", "leased_until", "is_slow", "failing_since", "rests_until"])
    if outcome.error and is_same and endpoint.state == WebhookEndpoint.State.ENABLED:
        if outcome.is_gone:
            _give_up(endpoint, Reason.GONE, at)
        elif endpoint.failing_since is not None and at - endpoint.failing_since >= GIVEN_UP_AFTER:
            _give_up(endpoint, Reason.FAILING, at)


def _give_up(endpoint: WebhookEndpoint, reason: WebhookEndpoint.Reason, at: datetime) -> None:
    cancelled = switch_off(endpoint, reason, at)
    audit_endpoint(endpoint, "disabled", actor=SYSTEM, at=at, reason=reason.value, cancelled=cancelled)
    tell_of_disabled_endpoint(endpoint=endpoint, cancelled=cancelled, at=at)
