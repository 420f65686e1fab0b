"""What the console says of webhook endpoints, deliveries and tries (N1)."""

from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.webhook_posting import was_gone

_DELIVERIES = {
    WebhookDelivery.State.PENDING: ("Waiting", "outline"),
    WebhookDelivery.State.DELIVERED: ("Delivered", "success"),
    WebhookDelivery.State.FAILED: ("Failed", "destructive"),
    WebhookDelivery.State.CANCELLED: ("Cancelled", "secondary"),
}
_AGAIN = {
    WebhookDelivery.State.PENDING: "It was delivered before, and is sent again.",
    WebhookDelivery.State.FAILED: "It was delivered before; sending it again has failed.",
    WebhookDelivery.State.CANCELLED: "It was delivered before; sending it again was cancelled.",
}
_REASONS = {
    WebhookEndpoint.Reason.MEMBER: "It was switched off by hand.",
    WebhookEndpoint.Reason.FAILING: "Nothing but failures came back for three days, so that it was switched off.",
    WebhookEndpoint.Reason.GONE: "It answered 410 Gone: it wants no webhooks any more, and was switched off at once.",
}


def endpoint_state(endpoint: WebhookEndpoint) -> tuple[str, str]:
    """The state of an endpoint in a word or two, and the look of its badge."""
    if endpoint.state == WebhookEndpoint.State.DISABLED:
        by_member = endpoint.disabled_reason == WebhookEndpoint.Reason.MEMBER
        return "Disabled", "secondary" if by_member else "destructive"
    return ("Failing", "warning") if endpoint.failing_since is not None else ("Enabled", "success")


def disabled_text(endpoint: WebhookEndpoint) -> str:
    """Why nothing is sent there; empty for an enabled one."""
    return _REASONS[WebhookEndpoint.Reason(endpoint.disabled_reason)] if endpoint.disabled_reason else ""


def delivery_state(delivery: WebhookDelivery) -> tuple[str, str]:
    """The state of a delivery in a word or two, and the look of its badge."""
    if delivery.state == WebhookDelivery.State.PENDING and delivery.error:
        return "Trying again", "warning"
    if was_gone(delivery):
        return "Failed: the endpoint is gone (410)", "destructive"
    return _DELIVERIES[WebhookDelivery.State(delivery.state)]


def answer_text(delivery: WebhookDelivery) -> str:
    """What came back last; empty where nothing was tried."""
    return delivery.error or ("Taken" if delivery.state == WebhookDelivery.State.DELIVERED else "")


def again_text(delivery: WebhookDelivery) -> str:
    """What became of sending a delivered one again; empty where it was not, or has succeeded too."""
    return _AGAIN.get(WebhookDelivery.State(delivery.state), "") if delivery.delivered_at is not None else ""


def attempt_state(attempt: WebhookAttempt) -> tuple[str, str]:
    """What came back in a word or two, and the look of its badge."""
    if attempt.status_code is None:
        return "No answer", "destructive"
    return str(attempt.status_code), "success" if 200 <= attempt.status_code < 300 else "destructive"
