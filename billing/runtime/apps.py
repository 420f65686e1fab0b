from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    name = "billing.runtime"
    label = "billing_runtime"
    verbose_name = "Runs"
