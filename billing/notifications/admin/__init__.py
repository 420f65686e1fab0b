from billing.notifications.admin.notice import NoticeAdmin, NotificationPreferenceAdmin
from billing.notifications.admin.webhook_delivery import WebhookDeliveryAdmin
from billing.notifications.admin.webhook_endpoint import WebhookEndpointAdmin

__all__ = ["NoticeAdmin", "NotificationPreferenceAdmin", "WebhookDeliveryAdmin", "WebhookEndpointAdmin"]
