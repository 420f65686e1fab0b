from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "billing.usage"
    label = "billing_usage"
    verbose_name = "Usage"
