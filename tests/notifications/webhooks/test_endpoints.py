"""Endpoints: what members may enter, change, switch off and remove (N1)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from billing.core.problems import Problem
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from billing.notifications.queries import deliveries_of, endpoints_of, find_delivery, find_endpoint
from billing.notifications.services.change_endpoint import change_endpoint
from billing.notifications.services.create_endpoint import MOST_ENDPOINTS, create_endpoint
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.enable_endpoint import enable_endpoint
from billing.notifications.services.remove_endpoint import remove_endpoint
from billing.notifications.services.rotate_secret import rotate_secret
from billing.notifications.services.send_test_event import send_test_event
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import deliver, deliver_all, fresh, only_delivery, open_endpoint, publish
from tests.notifications.webhooks.receiver import receiving, status
from tests.vault.outbound.test_addresses import resolving
from vault.models import KeyEncryptionKey, SealedText

pytestmark = pytest.mark.usefixtures("vault")
URL = "https://93.184.215.14/hooks"


def test_endpoint_is_made_with_a_secret_shown_once() -> None:
    """N1: only its ciphertext is kept, and the audit log has the host alone."""
    tenant = make_tenant()
    endpoint, secret = create_endpoint(
        tenant_id=tenant.id,
        url=" https://93.184.215.14/hooks/T0K3N?code=s3cret ",
        description="  Our\tledger ",
        event_types=["quota.threshold_reached", "invoice.paid", "invoice.paid"],
        actor=SYSTEM,
        at=AT,
    )
    assert endpoint.url == "https://93.184.215.14/hooks/T0K3N?code=s3cret"
    assert endpoint.description == "Our ledger"
    assert endpoint.event_types == ["invoice.paid", "quota.threshold_reached"]
    assert secret.reveal().startswith("whsec_")
    assert secret.reveal().encode() not in bytes(SealedText.objects.get().ciphertext)
    [line] = AuditEvent.objects.filter(action__startswith="webhook_endpoint")
    assert (line.action, line.detail["host"]) == ("webhook_endpoint.created", "93.184.215.14")
    assert "T0K3N" not in str(line.detail)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hooks",
        "https://127.0.0.1/hooks",
        "https://10.0.0.5:8443/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://service.internal/",
        "https://localhost/",
        "https://0x7f000001/",
        "https://user:password@93.184.215.14/",
        "https://93.184.215.14:80/",
        "https://93.184.215.14/#part",
        "https://93.184.215.14/a b",
        "ftp://93.184.215.14/",
        "93.184.215.14",
        "",
        "https://93.184.215.14/" + "x" * 500,
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """N1: what is not https to the public internet, with a sentence on what is wrong."""
    with pytest.raises(Problem) as refused:
        open_endpoint(make_tenant(), url)
    assert (refused.value.code, refused.value.status) == ("webhook-address-not-allowed", 400)
    assert refused.value.errors[0].field == "url"


def test_name_that_leads_inside_is_refused() -> None:
    """N1: all its addresses have to be public."""
    with pytest.raises(Problem) as refused:
        create_endpoint(
            tenant_id=make_tenant().id,
            url="https://hooks.example.com/",
            actor=SYSTEM,
            at=AT,
            resolve=resolving("93.184.215.14", "10.1.2.3"),
        )
    assert refused.value.code == "webhook-address-not-allowed"


def test_types_and_descriptions_that_are_refused() -> None:
    """N1: with the list of types, and the field."""
    tenant = make_tenant()
    with pytest.raises(Problem) as refused:
        open_endpoint(tenant, URL, event_types=["invoice.paid", "invoice.eaten"])
    assert refused.value.code == "unknown-event-type"
    assert "invoice.eaten" in refused.value.detail
    assert "invoice.issued" in (refused.value.remedy or "")
    with pytest.raises(Problem, match="one line"):
        create_endpoint(tenant_id=tenant.id, url=URL, description="x" * 201, actor=SYSTEM, at=AT)
    endpoint, _ = open_endpoint(tenant, URL)
    with pytest.raises(Problem, match="7 days"):
        rotate_secret(tenant_id=tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT, overlap=timedelta(days=8))


def test_ten_endpoints_and_no_more() -> None:
    """N1: a removed one counts no more."""
    tenant = make_tenant()
    made = [open_endpoint(tenant, URL)[0] for _ in range(MOST_ENDPOINTS)]
    with pytest.raises(Problem) as refused:
        open_endpoint(tenant, URL)
    assert (refused.value.code, refused.value.status) == ("too-many-webhook-endpoints", 409)
    remove_endpoint(tenant_id=tenant.id, endpoint_id=made[3].id, actor=SYSTEM, at=AT)
    open_endpoint(tenant, URL)
    assert len(endpoints_of(tenant.id)) == MOST_ENDPOINTS
    open_endpoint(make_tenant(), URL)


def test_another_tenants_endpoint_is_not_there() -> None:
    """N1: by no service and no query."""
    mine, theirs = make_tenant(), make_tenant()
    endpoint, _ = open_endpoint(theirs, URL)
    who = {"tenant_id": mine.id, "endpoint_id": endpoint.id, "actor": SYSTEM, "at": AT}
    for service in (
        change_endpoint,
        disable_endpoint,
        enable_endpoint,
        remove_endpoint,
        rotate_secret,
        send_test_event,
    ):
        with pytest.raises(WebhookEndpoint.DoesNotExist):
            service(**who)
    assert list(endpoints_of(mine.id)) == []
    publish(mine)
    assert WebhookDelivery.objects.count() == 0


def test_database_keeps_deliveries_in_their_tenant() -> None:
    """N1: SQL by hand cannot send an event to another tenant's endpoint, or change or forget one early."""
    mine, theirs = make_tenant(), make_tenant()
    endpoint, _ = open_endpoint(theirs, URL)
    [event] = publish(mine)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="of_tenant"), transaction.atomic():
        WebhookDelivery.objects.create(
            tenant=mine, event=event, endpoint=endpoint, object_id="x", due_at=AT, created_at=AT
        )
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        WebhookEvent.objects.update(data={})
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        endpoint.delete()


def test_changes() -> None:
    """N1: what is not given stays; another address says nothing of the old one's failures."""
    tenant = make_tenant()
    with receiving(status(500)) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
    who = {"tenant_id": tenant.id, "endpoint_id": endpoint.id, "actor": SYSTEM, "at": AT}
    change_endpoint(**who, description="Ledger", event_types=["invoice.paid"])
    changed = fresh(endpoint)
    assert (changed.url, changed.description, changed.event_types) == (endpoint.url, "Ledger", ["invoice.paid"])
    assert changed.is_slow
    change_endpoint(**who, url=URL)
    assert (fresh(endpoint).is_slow, fresh(endpoint).failing_since) == (False, None)
    change_endpoint(**who, url=URL)
    lines = AuditEvent.objects.filter(action="webhook_endpoint.changed").order_by("id")
    assert [line.detail["changed"] for line in lines] == [["description", "event_types"], ["url"]]


def test_types_that_are_chosen() -> None:
    """N1: events of others are not sent there; an empty list stands for all."""
    tenant = make_tenant()
    some, _ = open_endpoint(tenant, URL, event_types=[EventType.INVOICE_FAILED])
    every, _ = open_endpoint(tenant, URL)
    publish(tenant)
    assert only_delivery().endpoint == every
    assert deliveries_of(some, limit=10) == []


def test_switched_off_and_on_again() -> None:
    """N1: what waits is cancelled, what happens meanwhile is not sent, and it starts afresh."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        who = {"tenant_id": tenant.id, "endpoint_id": endpoint.id, "actor": SYSTEM}
        for _ in range(2):
            disable_endpoint(**who, at=AT)
        assert (fresh(endpoint).state, fresh(endpoint).disabled_reason) == ("disabled", "member")
        publish(tenant)
        assert deliver_all() == 0
        with pytest.raises(Problem) as refused:
            send_test_event(**who, at=AT)
        assert (refused.value.code, refused.value.status) == ("webhook-endpoint-disabled", 409)
        for _ in range(2):
            enable_endpoint(**who, at=AT)
        publish(tenant)
        assert deliver_all() == 1
    assert sorted(WebhookDelivery.objects.values_list("state", flat=True)) == ["cancelled", "delivered"]
    actions = AuditEvent.objects.filter(action__startswith="webhook").order_by("id").values_list("action", flat=True)
    assert [action.rpartition(".")[2] for action in actions] == ["created", "disabled", "enabled"]


def test_removed_endpoint_keeps_its_log_and_no_secret() -> None:
    """N1: nothing is sent, nothing can be read, and the deliveries are there."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        rotate_secret(tenant_id=tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
        publish(tenant)
        remove_endpoint(tenant_id=tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
        publish(tenant)
        assert deliver_all() == 0
    assert [bytes(text.ciphertext) for text in SealedText.objects.all()] == [b"", b""]
    with pytest.raises(WebhookEndpoint.DoesNotExist):
        find_endpoint(tenant.id, endpoint.id)
    log = deliveries_of(fresh(endpoint), limit=10)
    assert [delivery.state for delivery in log] == ["cancelled", "delivered"]


def test_test_event_goes_to_one_endpoint_whatever_it_wants() -> None:
    """N1: also where other types are chosen, and it is no other endpoint's."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url, event_types=["invoice.paid"])
        open_endpoint(tenant, URL)
        sent = send_test_event(tenant_id=tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
        assert deliver() == 1
    assert find_delivery(endpoint, sent.id).state == "delivered"
    assert b'"type":"webhook_endpoint.test"' in receiver.got[0].body


def test_deliveries_by_page_state_and_type() -> None:
    """N1: the newest first."""
    tenant = make_tenant()
    endpoint, _ = open_endpoint(tenant, URL)
    publish(tenant, "a", "b", "c")
    first, second, third = reversed(deliveries_of(endpoint, limit=10))
    assert [row.event.object_id for row in (first, second, third)] == ["a", "b", "c"]
    assert deliveries_of(endpoint, limit=1) == [third]
    assert deliveries_of(endpoint, limit=5, before=third.id) == [second, first]
    assert deliveries_of(endpoint, limit=5, state="delivered") == []
    assert deliveries_of(endpoint, limit=5, state="pending", type="invoice.paid") == [third, second, first]
    assert deliveries_of(endpoint, limit=5, type="balance.low") == []
    with pytest.raises(WebhookDelivery.DoesNotExist):
        find_delivery(endpoint, uuid4())


def test_without_a_vault_nothing_is_made() -> None:
    """N1: an operator's matter, said as a problem."""
    KeyEncryptionKey.objects.update(state="retiring")
    with pytest.raises(Problem) as refused:
        open_endpoint(make_tenant(), URL)
    assert (refused.value.code, refused.value.status) == ("vault-not-configured", 503)
    assert WebhookEndpoint.objects.count() == 0
