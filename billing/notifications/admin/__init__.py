from billing.notifications.admin.webhook_delivery import WebhookDeliveryAdmin
from billing.notifications.admin.webhook_endpoint import WebhookEndpointAdmin

__all__ = ["WebhookDeliveryAdmin", "WebhookEndpointAdmin"]
