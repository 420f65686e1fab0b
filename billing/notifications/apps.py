from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "billing.notifications"
    label = "billing_notifications"
    verbose_name = "Notifications"
