from datetime import datetime

from django.urls import reverse

from billing.notifications.kinds import Kind
from billing.notifications.models import WebhookEndpoint
from billing.notifications.services.tell_tenant import tell_tenant
from vault.outbound.addresses import origin_of

_WHY = {
    WebhookEndpoint.Reason.FAILING: "Since {since:%d %B %Y, %H:%M} UTC nothing that we sent there has arrived.",
    WebhookEndpoint.Reason.GONE: "It answered with status 410, which says that it wants no webhooks any more.",
}
_TO_DO = (
    "If you still want them, see on the page “Webhooks” of the console what was sent and what came back, mend the "
    "endpoint, and enable it there. Events that were missed can be sent again from the same page for 30 days."
)


def tell_of_disabled_endpoint(*, endpoint: WebhookEndpoint, cancelled: int, at: datetime) -> None:
    """Write to who manages the tenant that an endpoint was disabled, in the transaction that does so (N1)."""
    host = origin_of(endpoint.url).netloc
    why = _WHY[WebhookEndpoint.Reason(endpoint.disabled_reason)].format(since=endpoint.failing_since)
    given_up = f" {cancelled:,} that were waiting are given up." if cancelled else ""
    tell_tenant(
        tenant_id=endpoint.tenant_id,
        kind=Kind.WEBHOOK_DISABLED,
        key=f"{Kind.WEBHOOK_DISABLED}:{endpoint.id.hex}:{at:%Y%m%d%H%M%S%f}",
        subject=f"{endpoint.tenant.name}: the webhook endpoint at {host} was disabled",
        body=f"Webhooks are no longer sent to the endpoint at {host}. {why}{given_up}\n\n{_TO_DO}",
        at=at,
        link=reverse("console:webhook", args=[endpoint.id]),
        link_text="See what was sent",
    )
