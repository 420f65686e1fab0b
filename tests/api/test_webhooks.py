"""/v1/webhook-endpoints."""

from typing import Any

import pytest

from billing.api.models import KeptAnswer
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from billing.notifications.queries import body_of
from tenants.models import AuditEvent
from tests.api.calls import call, field_codes, get, refusal
from tests.console.make import QueryCount
from tests.make import AT, Customer, make_customer
from tests.notifications.make import URL, make_attempt, make_delivery, make_endpoint

PATH = "/v1/webhook-endpoints"
NEW = {"url": URL, "description": "Accounting", "event_types": ["invoice.paid", "invoice.failed"]}
pytestmark = pytest.mark.usefixtures("vault")


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(slug="acme")


@pytest.fixture
def endpoint(customer: Customer) -> WebhookEndpoint:
    return make_endpoint(customer.tenant)


def at(endpoint: WebhookEndpoint, rest: str = "") -> str:
    return f"{PATH}/whe_{endpoint.id.hex}{rest}"


def post(customer: Customer, path: str, body: Any = None, *, again: str = "") -> Any:
    headers = {"Idempotency-Key": again} if again else {}
    return call("POST", path, customer.key, body, **headers)


def test_life_of_an_endpoint(customer: Customer) -> None:
    """N1: made with its secret, which no other answer holds; listed, changed, switched off and on, removed."""
    made = post(customer, PATH, NEW)
    assert made.status_code == 201
    shown = made.json()
    assert shown.pop("secret").startswith("whsec_")
    path = f"{PATH}/{shown['id']}"
    assert shown | {"id": ""} == NEW | {
        "id": "",
        "state": "enabled",
        "disabled_reason": None,
        "disabled_at": None,
        "failing_since": None,
        "previous_secret_until": None,
        "created_at": "2026-03-10T12:00:00Z",
    }
    assert get(path, customer.key).json() == shown
    assert get(PATH, customer.key).json() == {"results": [shown], "next": None}
    changed = call("PATCH", path, customer.key, {"description": "", "event_types": [], "state": "disabled"}).json()
    assert (changed["url"], changed["description"], changed["event_types"]) == (URL, "", [])
    assert (changed["state"], changed["disabled_reason"]) == ("disabled", "member")
    assert refusal(post(customer, f"{path}/test")) == (409, "webhook-endpoint-disabled")
    assert call("PATCH", path, customer.key, {"state": "enabled"}).json()["disabled_at"] is None
    assert call("DELETE", path, customer.key).status_code == 204
    assert refusal(get(path, customer.key)) == (404, "not-found")
    assert refusal(call("DELETE", path, customer.key)) == (404, "not-found")
    actions = AuditEvent.objects.filter(actor_key=customer.key.row).order_by("id").values_list("action", flat=True)
    assert list(actions) == [
        f"webhook_endpoint.{done}" for done in ("created", "changed", "disabled", "enabled", "removed")
    ]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"url": "http://example.com/"}, (400, "webhook-address-not-allowed")),
        ({"url": "https://169.254.169.254/latest"}, (400, "webhook-address-not-allowed")),
        ({"event_types": ["invoice.eaten"]}, (400, "unknown-event-type")),
        ({"description": "two\nlines"}, None),
        ({"url": 5}, (400, "invalid-request")),
        ({"url": "x" * 501}, (400, "invalid-request")),
        ({"event_types": "invoice.paid"}, (400, "invalid-request")),
        ({"event_types": [None]}, (400, "invalid-request")),
        ({"secret": "whsec_mine"}, (400, "invalid-request")),
    ],
)
def test_what_is_refused(
    customer: Customer, endpoint: WebhookEndpoint, body: dict[str, Any], answer: tuple[int, str] | None
) -> None:
    """N1, F3: addresses inside networks, unknown types and fields, at making and at changing alike."""
    made, changed = post(customer, PATH, NEW | body), call("PATCH", at(endpoint), customer.key, body)
    if answer is None:
        assert (made.status_code, changed.status_code) == (201, 200)
    else:
        assert refusal(made) == refusal(changed) == answer


def test_change_is_all_or_nothing(customer: Customer, endpoint: WebhookEndpoint) -> None:
    """F3: what is refused changes nothing beside it; null is no value."""
    wrong = {"state": "disabled", "description": "New", "event_types": ["invoice.eaten"]}
    assert refusal(call("PATCH", at(endpoint), customer.key, wrong)) == (400, "unknown-event-type")
    assert field_codes(call("PATCH", at(endpoint), customer.key, {"state": "off"})) == {"state": "invalid-choice"}
    assert field_codes(call("PATCH", at(endpoint), customer.key, {"url": None})) == {"url": "null"}
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.description) == ("enabled", "")


def test_ten_endpoints(customer: Customer) -> None:
    """N1: an eleventh is refused; the list has pages like any other."""
    for _ in range(10):
        make_endpoint(customer.tenant)
    assert refusal(post(customer, PATH, NEW)) == (409, "too-many-webhook-endpoints")
    first = get(f"{PATH}?limit=6", customer.key).json()
    rest = get(f"{PATH}?limit=6&cursor={first['next']}", customer.key).json()
    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (6, 4, None)
    assert len({row["id"] for row in first["results"] + rest["results"]}) == 10
    assert refusal(get(f"{PATH}?cursor=x", customer.key)) == (400, "invalid-cursor")


def test_kept_answers_hold_no_secret(customer: Customer) -> None:
    """N1, F3: sent again under its key a request makes nothing, and its answer shows the secret no second time."""
    first, again = (post(customer, PATH, NEW, again="make-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["secret"] is not None
    assert again.json() == first.json() | {"secret": None}
    path = f"{PATH}/{first.json()['id']}/rotate-secret"
    rotated, repeated = (post(customer, path, {"overlap_hours": 2}, again="rotate-1").json() for _ in range(2))
    assert repeated == rotated | {"secret": None}
    assert rotated["secret"] not in (None, first.json()["secret"])
    assert WebhookEndpoint.objects.count() == 1
    assert "whsec_" not in "".join(KeptAnswer.objects.values_list("answer", flat=True))
    assert refusal(post(customer, PATH, NEW | {"url": f"{URL}/2"}, again="make-1")) == (409, "idempotency-conflict")


def test_rotation(customer: Customer, endpoint: WebhookEndpoint) -> None:
    """N1: a day of both secrets unless said otherwise, none at all with 0."""
    path = at(endpoint, "/rotate-secret")
    for body, until in (
        ({}, "2026-03-11T12:00:00Z"),
        ({"overlap_hours": 2}, "2026-03-10T14:00:00Z"),
        ({"overlap_hours": 0}, None),
    ):
        answer = post(customer, path, body)
        assert (answer.status_code, answer.json()["previous_secret_until"]) == (200, until)
    for hours, code in ((-1, "min-value"), (169, "max-value"), ("2", "invalid"), (None, "null")):
        assert field_codes(post(customer, path, {"overlap_hours": hours})) == {"overlap_hours": code}


def test_test_event(customer: Customer, endpoint: WebhookEndpoint) -> None:
    """N1: 202 with its delivery; once under a key; nothing is sent along."""
    first, again = (post(customer, at(endpoint, "/test"), again="test-1") for _ in range(2))
    assert (first.status_code, again.json()) == (202, first.json())
    delivery = first.json()
    assert (delivery["type"], delivery["state"], delivery["tries"]) == ("webhook_endpoint.test", "pending", 0)
    assert get(at(endpoint, "/deliveries"), customer.key).json()["results"] == [delivery]
    assert WebhookDelivery.objects.count() == 1
    assert field_codes(post(customer, at(endpoint, "/test"), {"type": "x"})) == {"type": "unknown-field"}


def test_deliveries(customer: Customer, endpoint: WebhookEndpoint) -> None:
    """N1, F3: the newest first, by state and type, in pages."""
    failed = [make_delivery(endpoint, state="failed", error="It answered 500.", tries=9) for _ in range(3)]
    paid = make_delivery(endpoint, EventType.INVOICE_PAID, state="delivered", delivered_at=AT)
    make_delivery(make_endpoint(customer.tenant))
    path = at(endpoint, "/deliveries")
    everything = [f"whd_{delivery.id.hex}" for delivery in (paid, *reversed(failed))]
    assert [row["id"] for row in get(path, customer.key).json()["results"]] == everything
    first = get(f"{path}?limit=2&state=failed", customer.key).json()
    rest = get(f"{path}?limit=2&state=failed&cursor={first['next']}", customer.key).json()
    assert [row["id"] for row in first["results"] + rest["results"]] == everything[1:]
    (row,) = get(f"{path}?type=invoice.paid", customer.key).json()["results"]
    assert (row["due_at"], row["delivered_at"], row["event"]) == (
        None,
        "2026-03-10T12:00:00Z",
        f"msg_{paid.event_id.hex}",
    )
    for query in ("state=lost", "type=invoice.eaten", "status=failed", "limit=0"):
        assert refusal(get(f"{path}?{query}", customer.key)) == (400, "invalid-request"), query


def test_one_delivery(customer: Customer, endpoint: WebhookEndpoint) -> None:
    """N1: the body as it is signed, and each try, the latest first."""
    delivery = make_delivery(endpoint, state="failed", error="It answered 500.", tries=2)
    make_attempt(delivery, 500, answer="no", error="It answered 500.")
    make_attempt(delivery, None, answer="", error="Nobody answered.", manual=True)
    shown = get(at(endpoint, f"/deliveries/whd_{delivery.id.hex}"), customer.key).json()
    assert shown["body"].encode() == body_of(WebhookEvent.objects.get())
    assert shown["attempts"] == [
        {
            "at": "2026-03-10T12:00:00Z",
            "status_code": status,
            "answer": answer,
            "error": error,
            "duration_ms": 12,
            "manual": manual,
        }
        for status, answer, error, manual in (
            (None, "", "Nobody answered.", True),
            (500, "no", "It answered 500.", False),
        )
    ]


def test_redelivery(customer: Customer, endpoint: WebhookEndpoint) -> None:
    """N1: pending again under the same id; once under a key; 404 under another endpoint."""
    delivery = make_delivery(endpoint, state="delivered", delivered_at=AT, tries=1)
    path = f"/deliveries/whd_{delivery.id.hex}/redeliver"
    first, again = (post(customer, at(endpoint, path), again="again-1") for _ in range(2))
    assert (first.status_code, again.json()) == (202, first.json())
    assert (first.json()["state"], first.json()["event"]) == ("pending", f"msg_{delivery.event_id.hex}")
    assert AuditEvent.objects.filter(action="webhook_endpoint.redelivered").count() == 1
    other = make_endpoint(customer.tenant)
    for rest in (path, path.removesuffix("/redeliver"), "/deliveries/whd_0"):
        method = "POST" if rest == path else "GET"
        assert refusal(call(method, at(other, rest), customer.key)) == (404, "not-found")


def test_queries(customer: Customer, endpoint: WebhookEndpoint, django_assert_num_queries: QueryCount) -> None:
    """F3: as many for ten rows as for one."""
    for _ in range(3):
        make_endpoint(customer.tenant)
        delivery = make_delivery(endpoint)
        make_attempt(delivery)
        make_attempt(delivery)
    for path, queries in (
        (PATH, 2),
        (at(endpoint, "/deliveries"), 3),
        (at(endpoint, f"/deliveries/whd_{delivery.id.hex}"), 4),
    ):
        get(path, customer.key)
        with django_assert_num_queries(queries):
            get(path, customer.key)
