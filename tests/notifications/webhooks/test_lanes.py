"""A tenant has few calls under way in each lane, whatever it does to its endpoints (N1)."""

from datetime import timedelta

import pytest

from billing.notifications.models import WebhookEndpoint
from billing.notifications.services.change_endpoint import change_endpoint
from billing.notifications.services.create_endpoint import MOST_ENDPOINTS
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.enable_endpoint import enable_endpoint
from billing.notifications.services.record_attempt import record_attempt
from billing.notifications.services.remove_endpoint import remove_endpoint
from billing.notifications.services.send_test_event import send_test_event
from billing.notifications.webhook_claims import Claim, Lane, claim
from billing.notifications.webhook_posting import Outcome
from tenants.models import Tenant
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import at_once, fresh, open_endpoint, publish

URL = "https://93.184.215.14/"
SECOND = timedelta(seconds=1)
TAKEN = Outcome("", SECOND / 100, status=204)
each_lane = pytest.mark.parametrize("lane", Lane)


def take(lane: Lane = Lane.REGULAR) -> list[Claim]:
    return claim(lane=lane, limit=32, at=AT)


def make_tested(tenant: Tenant, lane: Lane) -> list[WebhookEndpoint]:
    """As many as a tenant may have, with a test event each."""
    endpoints = [open_endpoint(tenant, URL)[0] for _ in range(MOST_ENDPOINTS)]
    for endpoint in endpoints:
        send_test_event(tenant_id=tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
    WebhookEndpoint.objects.filter(tenant=tenant).update(is_slow=lane == Lane.SLOW)
    return endpoints


@pytest.mark.usefixtures("own_vault")
def test_workers_at_once_keep_to_the_bound() -> None:
    """N1: four of them, each with room for all."""
    make_tested(make_tenant(), Lane.REGULAR)
    claims: list[Claim] = []
    at_once(*[lambda: claims.extend(take())] * 4)
    assert len(claims) == 2


@each_lane
@pytest.mark.usefixtures("vault")
def test_endpoints_made_tested_and_removed_in_a_loop(lane: Lane) -> None:
    """N1: a removed one's call counts until it ends; another tenant's first event goes out at once all the while."""
    looping, other = make_tenant(), make_tenant()
    open_endpoint(other, URL)
    under_way: list[Claim] = []
    for _ in range(3):
        endpoints = make_tested(looping, lane)
        publish(other)
        WebhookEndpoint.objects.filter(tenant=other).update(is_slow=lane == Lane.SLOW)
        taken = take(lane)
        [healthy] = [one for one in taken if one.delivery.tenant_id == other.id]
        record_attempt(taken=healthy, outcome=TAKEN, at=AT)
        under_way += [one for one in taken if one is not healthy]
        assert len(under_way) == 2
        for endpoint in endpoints:
            remove_endpoint(tenant_id=looping.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
    make_tested(looping, lane)
    record_attempt(taken=under_way[0], outcome=TAKEN, at=AT)
    assert len(take(lane)) == 1


@pytest.mark.usefixtures("vault")
def test_lane_changes_at_the_end_of_a_call() -> None:
    """N1: neither enabling nor another address takes a call out of the count of its lane."""
    tenant = make_tenant()
    make_tested(tenant, Lane.SLOW)
    first, second = take(Lane.SLOW)
    for one in (first, second):
        ids = {"tenant_id": tenant.id, "endpoint_id": one.delivery.endpoint_id}
        change_endpoint(**ids, url=f"{URL}new", actor=SYSTEM, at=AT)
        disable_endpoint(**ids, actor=SYSTEM, at=AT)
        enable_endpoint(**ids, actor=SYSTEM, at=AT)
    assert take(Lane.SLOW) == []
    record_attempt(taken=first, outcome=Outcome("Late.", 15 * SECOND), at=AT)
    assert not fresh(first.delivery.endpoint).is_slow
    assert len(take(Lane.SLOW)) == 1
