"""At least one row of everything of webhooks that the admin shows. The secret here decrypts to nothing."""

from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookEndpoint
from tests.admin.vault_records import BYTES
from tests.make import AT, Customer
from tests.notifications.make import URL, make_attempt, make_delivery
from vault.models import DataKey, SealedText


def make_webhook_records(customer: Customer) -> WebhookEndpoint:
    """An endpoint of a customer with vault records, and a delivery that failed twice."""
    data_key = DataKey.objects.get(tenant=customer.tenant)
    secret = SealedText.objects.create(
        tenant=customer.tenant, purpose="webhook", data_key=data_key, ciphertext=BYTES, created_at=AT
    )
    endpoint = WebhookEndpoint.objects.create(tenant=customer.tenant, url=URL, secret=secret, created_at=AT)
    delivery = make_delivery(endpoint, EventType.BALANCE_LOW, state="failed", tries=2, error="It answered 500.")
    for _ in range(2):
        make_attempt(delivery, 500, answer="no", error="It answered 500.")
    return endpoint
