from billing.notifications.models.notice import Notice
from billing.notifications.models.preference import NotificationPreference
from billing.notifications.models.webhook_delivery import WebhookAttempt, WebhookDelivery, WebhookEvent
from billing.notifications.models.webhook_endpoint import WebhookEndpoint

__all__ = ["Notice", "NotificationPreference", "WebhookAttempt", "WebhookDelivery", "WebhookEndpoint", "WebhookEvent"]
